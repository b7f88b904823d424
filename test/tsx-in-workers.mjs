import { isMainThread } from 'node:worker_threads'
import { register } from 'tsx/esm/api'

// `--import tsx/esm` serves the main thread only; worker threads inherit this file through execArgv.
// Not `tsx`: mocha tries `require` on a test file first, and tsx would translate it, and what it imports, to CommonJS, each
// time anew, up to the first top-level await.
if (!isMainThread) register()
