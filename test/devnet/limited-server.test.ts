import { createLimitedServer } from '../../devnet/limited-server.ts'
import { testLimitedServer } from '../suites/limited-server-suite.ts'

testLimitedServer('devnet/limited-server', createLimitedServer)
