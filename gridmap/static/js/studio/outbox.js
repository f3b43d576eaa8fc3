/**
 * Operations that the server has not confirmed, kept in the browser: they survive a reload, a closed tab, a lost line.
 *
 * Each tab writes under its own name (`client`) and gives a sign of life; what a tab left that is silent is taken over by
 * the next one that opens the plan. A key is never sent as another operation, so nothing counts twice.
 */

const NAME = "gridmap-studio";
const SILENT_MS = 8000;
const ALIVE_MS = 2000;

const done = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

export class Outbox {
  /** `scope`: who works on which plan ("7:3"); `client`: this tab. */
  static async open(scope, client) {
    const box = new Outbox();
    Object.assign(box, { scope, client, order: 0 });
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore("sent", { keyPath: ["scope", "key"] });
    box.base = await done(request);
    box._alive();
    box.timer = setInterval(() => box._alive(), ALIVE_MS);
    addEventListener("pagehide", () => localStorage.removeItem(`${NAME}.${client}`)); // the name is free: whoever comes back takes it
    addEventListener("pageshow", () => box._alive());
    return box;
  }

  /** Everything that waits and that no living tab will send, in the order in which it was made. */
  async waiting() {
    return (await this._mine()).filter((one) => !one.told);
  }

  /** What the server did not take and the person has not decided on yet. */
  async held() {
    return (await this._mine()).filter((one) => one.told);
  }

  /** What tabs that fell silent since have left; what is this tab's own is in its hands already. */
  async orphans() {
    return (await this.waiting()).filter((one) => one.client !== this.client);
  }

  /** Keep an operation (`wire`) made on version `base`. */
  async put(wire, base, client = this.client) {
    const entry = { scope: this.scope, key: wire.key, wire, base, client, at: Date.now(), order: this.order++ };
    await done(this._store("readwrite").put(entry));
    return entry;
  }

  /** The server did not take it, for a reason (`told`): it stays until the person decides. */
  async hold(entry, told) {
    await done(this._store("readwrite").put({ ...entry, told }));
  }

  async remove(keys) {
    const store = this._store("readwrite");
    await Promise.all(keys.map((key) => done(store.delete([this.scope, key]))));
  }

  close() {
    clearInterval(this.timer);
    localStorage.removeItem(`${NAME}.${this.client}`);
    this.base.close();
  }

  async _mine() {
    const all = await done(this._store("readonly").getAll(IDBKeyRange.bound([this.scope], [this.scope, []])));
    const mine = all.filter((one) => one.client === this.client || this._silent(one.client));
    return mine.sort((a, b) => a.at - b.at || a.order - b.order);
  }

  _store(mode) {
    return this.base.transaction("sent", mode, { durability: "strict" }).objectStore("sent");
  }

  _alive() {
    localStorage.setItem(`${NAME}.${this.client}`, String(Date.now()));
  }

  _silent(client) {
    return Date.now() - Number(localStorage.getItem(`${NAME}.${client}`) ?? 0) > SILENT_MS;
  }
}

/** The name of this tab: the same after a reload, another one in a tab that was duplicated. */
export function tabName(fresh) {
  const known = sessionStorage.getItem(NAME);
  const navigation = performance.getEntriesByType("navigation")[0]?.type;
  const name = known && navigation !== "navigate" ? known : known && !localStorage.getItem(`${NAME}.${known}`) ? known : fresh();
  sessionStorage.setItem(NAME, name);
  return name;
}
