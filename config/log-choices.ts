/** Least severe line that is logged. The order is massa-node's: its level 0 is `error`, its level 4 is `trace`. */
export const LOG_LEVELS = ['error', 'warn', 'info', 'debug', 'trace'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

export const LOG_FORMATS = ['auto', 'human', 'json'] as const
export type LogFormat = (typeof LOG_FORMATS)[number]
