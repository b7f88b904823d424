export { type Daemon, startDaemon } from './daemon.ts'
export { systemClock } from './system-clock.ts'
