// The spec reporter, and at the end {passes, failures} as JSON in the file of --reporter-option counts=FILE.
const { writeFileSync } = require('node:fs')
const { reporters } = require('mocha')

module.exports = class SpecWithCounts extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options)
    const file = options?.reporterOptions?.counts
    runner.once('end', () => {
      const { passes, failures } = this.stats
      if (file) writeFileSync(file, JSON.stringify({ passes, failures }))
    })
  }
}
