/** As much of a browser as the client looks for: a page's own cookies, and those that only requests carry. */

/** Opens a fresh browser on a page of `origin`; its `fetch` is to be given to the client. */
export function openBrowser(origin = 'http://localhost:3000') {
  const kept = []
  const page = new Map()
  globalThis.window = { location: new URL(origin), history: { replaceState() {} } }
  globalThis.document = {
    title: '',
    get cookie() {
      return [...page].map(([name, value]) => `${name}=${value}`).join('; ')
    },
    set cookie(text) {
      const { name, value, expired } = parse(text)
      if (expired) page.delete(name)
      else page.set(name, value)
    },
  }

  async function request(input, init = {}) {
    const headers = new Headers(init.headers)
    headers.set('origin', origin)
    const path = new URL(input).pathname
    const sent = kept.filter((cookie) => path.startsWith(cookie.path))
    if (init.credentials === 'include' && sent.length) {
      headers.set('cookie', sent.map(({ name, value }) => `${name}=${value}`).join('; '))
    }
    const response = await fetch(input, { ...init, headers })
    if (init.credentials === 'include' && mayKeep(response, origin)) {
      for (const text of response.headers.getSetCookie()) keep(kept, parse(text))
    }
    return response
  }

  return { fetch: request, kept, page }
}

export function closeBrowser() {
  delete globalThis.window
  delete globalThis.document
}

/** Across origins a browser hands a page nothing unless it is named, and credentials are allowed (Fetch standard). */
function mayKeep(response, origin) {
  return (
    response.headers.get('access-control-allow-origin') === origin &&
    response.headers.get('access-control-allow-credentials') === 'true'
  )
}

function keep(kept, cookie) {
  const place = kept.findIndex(({ name, path }) => name === cookie.name && path === cookie.path)
  if (place >= 0) kept.splice(place, 1)
  if (!cookie.expired) kept.push(cookie)
}

function parse(text) {
  const [pair, ...rest] = text.split(';').map((part) => part.trim())
  const [name, value] = pair.split(/=(.*)/s)
  const told = Object.fromEntries(
    rest.map((part) => part.split('=')).map(([key, word]) => [key.toLowerCase(), word ?? true]),
  )
  return { name, value, path: told.path ?? '/', httpOnly: 'httponly' in told, expired: Number(told['max-age']) <= 0 }
}
