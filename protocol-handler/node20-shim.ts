/*
 * libp2p 3 needs Promise.withResolvers, which Node has from 22 on. Imported before libp2p (facts: stack 1.1).
 */

interface Resolvers {
  promise: Promise<unknown>
  resolve: (value: unknown) => void
  reject: (reason: unknown) => void
}

const promises = Promise as unknown as { withResolvers?: () => Resolvers }

promises.withResolvers ??= (): Resolvers => {
  let resolve: Resolvers['resolve'] = () => {}
  let reject: Resolvers['reject'] = () => {}
  const promise = new Promise<unknown>((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  return { promise, resolve, reject }
}
