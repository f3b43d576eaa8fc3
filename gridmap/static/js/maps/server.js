// A map on a page of another origin: what it asks of our server carries the token that it was given.
(function () {
  "use strict";
  const gm = (window.gridmap = window.gridmap || {});
  const plain = window.fetch.bind(window);
  const servers = new Map();

  /** Whatever asks (layers, vector tiles, the slider) asks with fetch: requests to `base`, and to no other, get the token. */
  gm.server = ({ base, token }) => {
    servers.set(new URL(base).origin, token);
    window.fetch = (input, init = {}) => {
      const address = new URL(input instanceof Request ? input.url : input, window.location.href);
      const secret = servers.get(address.origin);
      if (!secret || !address.pathname.startsWith("/api/")) return plain(input, init);
      const headers = new Headers(init.headers || (input instanceof Request ? input.headers : {}));
      headers.set("Authorization", `Bearer ${secret}`);
      return plain(input, { ...init, headers, credentials: "omit" });
    };
  };
})();
