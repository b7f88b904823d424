/** Carries the token of `api.token` in the data directory, where a request signs or spends. */
export const TOKEN_HEADER = 'massa-storage-token'
