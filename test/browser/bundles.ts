const { href } = new URL('../../scripts/browser-bundles.ts', import.meta.url)

/** Of the sources as they are now, not of what was built last. */
export const { bundleForBrowsers } = (await import(href)) as typeof import('../../scripts/browser-bundles.ts')
