#!/usr/bin/env -S MALLOC_MMAP_THRESHOLD_=131072 node --max-semi-space-size=4
import { launch } from './launch.js'

await launch('massa-cli')
