import { PERIOD_MS } from '../units.ts'

const DAY_MS = 86_400_000

/** 5,400 */
export const PERIODS_PER_DAY = DAY_MS / PERIOD_MS
/** Of a year of 365 days. */
export const DAYS_PER_MONTH = 365 / 12
