import { isMainThread } from 'node:worker_threads'
import { register } from 'tsx/esm/api'

// `--import tsx` serves the main thread only; worker threads inherit this file through execArgv.
if (!isMainThread) register()
