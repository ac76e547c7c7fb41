// What outlives the page in this browser, where the browser lets it.

/** What was kept under a key, or null. */
export function recall(key, store = "localStorage") {
  try {
    return globalThis[store].getItem(key);
  } catch {
    return null; // storage is forbidden here: then nothing outlives the page
  }
}

/** Keep a text under a key; null forgets it. `store` may be `sessionStorage`, which ends with the tab. */
export function keep(key, value, store = "localStorage") {
  try {
    if (value === null) globalThis[store].removeItem(key);
    else globalThis[store].setItem(key, value);
  } catch {
    // as above, or full
  }
}
