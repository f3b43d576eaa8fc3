/** Asking the server: JSON with the CSRF token, and errors that carry the server's sentence. */

const csrf = document.querySelector('meta[name="csrf-token"]')?.content ?? "";

/** An answer with a status of 400 or more: `code`, `message`, `details` as the server gave them. */
export class ApiError extends Error {
  constructor(status, body) {
    super(body.message);
    this.status = status;
    this.code = body.code;
    this.details = body.details ?? {};
  }
}

/** Fetch with cookie and CSRF token; throws ApiError, and goes to the sign-in page where the session has ended. */
export async function send(url, options = {}) {
  const headers = new Headers(options.headers);
  if (!headers.has("Accept")) headers.set("Accept", "application/json");
  if (options.method && options.method !== "GET") headers.set("X-CSRFToken", csrf);
  const response = await fetch(url, { credentials: "same-origin", ...options, headers });
  if (response.ok) return response;
  const body = await response.json().catch(() => ({ code: "HTTP", message: `HTTP ${response.status}` }));
  if (response.status === 401) location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
  throw new ApiError(response.status, body);
}

/** GET `url` as JSON. */
export async function getJson(url, options = {}) {
  return (await send(url, options)).json();
}

/** GET `url` as an ArrayBuffer. */
export async function getBuffer(url, options = {}) {
  return (await send(url, { ...options, headers: { Accept: "*/*", ...options.headers } })).arrayBuffer();
}

/** POST `body` as JSON and read the answer as JSON (null where it is empty). */
export async function postJson(url, body, options = {}) {
  const headers = { "Content-Type": "application/json", ...options.headers };
  const response = await send(url, { method: "POST", ...options, headers, body: JSON.stringify(body) });
  const text = await response.text();
  return text ? JSON.parse(text) : null;
}
