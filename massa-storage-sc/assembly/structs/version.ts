/** First byte of every record; a later contract reads older ones by it. */
export const RECORD_VERSION: u8 = 1;
