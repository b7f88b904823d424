import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'

const EXPLORER = new URL('../../explorer/', import.meta.url)

/** What would read as markup or code what an archive says, or ask somebody else. */
const FORBIDDEN = [
  /innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|createContextualFragment|srcdoc/,
  /\beval\b|new Function|javascript:/,
  /https?:\/\/(?!www\.w3\.org\/2000\/svg)/,
  /\sstyle=|\son[a-z]+=/,
]

describe('explorer', () => {
  const files = readdirSync(EXPLORER, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.(?:ts|html|css|svg)$/.test(name),
  )
  for (const file of files) {
    it(`${file} makes no markup of texts, and names no other site`, () => {
      const text = readFileSync(new URL(file, EXPLORER), 'utf8')
      for (const pattern of FORBIDDEN) assert.doesNotMatch(text, pattern)
    })
  }

  it('the patterns find what they look for', () => {
    const samples = ['it.innerHTML = x', 'eval(x)', 'src="https://example.org/x.js"', '<p onclick="x">']
    for (const [i, pattern] of FORBIDDEN.entries()) assert.match(samples[i] ?? '', pattern)
    assert(files.includes('index.html') && files.includes('app.ts'))
  })
})
