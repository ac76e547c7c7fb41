// Elements made of texts: nothing that came from elsewhere is ever read as HTML.

/**
 * An element with its children, which are elements or become texts; null and false are left out.
 *
 * A name that begins with `on` listens: `element("button", { onclick: save }, "Save")`. Other names set the attribute,
 * true without a value, null and false not at all; `class` and `data-…` as in HTML.
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) {
      made.setAttribute(name, value === true ? "" : String(value));
    }
  }
  made.append(...texts(children));
  return made;
}

/** Put these children in the place of all that an element has. */
export function fill(parent, ...children) {
  parent.replaceChildren(...texts(children));
  return parent;
}

/** The element with an id; an error names the one that is missing. */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`The page has no #${id}`);
  return found;
}

function texts(children) {
  return children
    .flat()
    .filter((child) => child !== null && child !== undefined && child !== false)
    .map((child) => (child instanceof Node ? child : document.createTextNode(String(child))));
}
