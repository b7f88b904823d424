/** So many answers by id take as long as one of these. */
const HEAVY_COST = 10

/** These read a whole period, an era or more. */
const HEAVY_ROUTES: ReadonlySet<string> = new Set(['/period/:period', '/era/:era', '/v1/completeness', '/v1/export'])

/** How often a request counts against the rate of who asks. */
export function costOf({ url, route }: { readonly url: string; readonly route: string }): number {
  return HEAVY_ROUTES.has(route) || /[?&]proof=true/.test(url) ? HEAVY_COST : 1
}
