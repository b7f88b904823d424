type Child = Node | string | undefined | readonly Child[]

/**
 * An element with its children. Texts become text nodes and nothing else: what an archive says is never read as markup.
 *
 * @param attributes - an undefined one is left out
 */
export function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Readonly<Record<string, string | undefined>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) if (value !== undefined) made.setAttribute(key, value)
  addChildren(made, children)
  return made
}

function addChildren(parent: Element, children: readonly Child[]): void {
  for (const child of children) {
    if (child === undefined) continue
    if (typeof child === 'string' || child instanceof Node) parent.append(child)
    else addChildren(parent, child)
  }
}
