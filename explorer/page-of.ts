import { addressPage } from './pages/address.ts'
import { blockPage, slotPage } from './pages/block.ts'
import { chunkPage } from './pages/chunk.ts'
import { endorsementPage } from './pages/endorsement.ts'
import { frontPage } from './pages/front.ts'
import { operationPage } from './pages/operation.ts'
import type { Page } from './pages/page.ts'
import { periodPage } from './pages/period.ts'
import { trustPage } from './pages/trust.ts'
import { unknownPage } from './pages/unknown.ts'
import type { Route, RouteKind } from './routes.ts'

const PAGES: { readonly [K in RouteKind]: (route: Route<K>) => Page } = {
  front: frontPage,
  block: blockPage,
  operation: operationPage,
  endorsement: endorsementPage,
  address: addressPage,
  chunk: chunkPage,
  slot: slotPage,
  period: periodPage,
  trust: trustPage,
  unknown: unknownPage,
}

/** The page that shows what a route names. */
export function pageOf<K extends RouteKind>(route: Route<K>): Page {
  return PAGES[route.kind](route)
}
