/**
 * The plan here and the plan on the server: what is done here is kept, sent, confirmed; what others do comes in.
 *
 * Pending operations are applied here and not yet confirmed. Whatever comes from the server goes beneath them: they are
 * taken back, the server's operations applied, and they are made again on top. Events: `state`, `conflict`, `refused`,
 * `differs`, `present`, `history`, `closed`, `ground`.
 */

import { ApiError, getJson, postJson } from "../api.js";
import { t } from "../i18n.js";
import { History } from "./history.js";
import { inverse } from "./model.js";
import { kept, newKey, received, sent } from "./wire.js";

const PULSE_MS = 3000;
const HIDDEN_MS = 20000;
const RETRY_MS = [1000, 2000, 4000, 8000, 15000];
const BATCH_OPERATIONS = 50;
const BATCH_UNITS = 20000;
const LOG_PAGE = 200;

export class Session extends EventTarget {
  constructor(model, outbox, user) {
    super();
    Object.assign(this, { model, outbox, user });
    this.client = outbox.client;
    this.pending = []; // {entry, op}: applied here, not confirmed
    this.held = []; // what the server did not take because others changed the same grids
    this.history = new History();
    this.log = []; // own operations, ascending, as far as they were fetched
    this.state = "saved";
    this.failures = 0;
    this.visiting = null;
    this.api = `/api/v1/plans/${model.plan.id}`;
    model.addEventListener("operation", (event) => this._made(event.detail));
    model.addEventListener("cut", (event) => this._cut(event.detail));
    addEventListener("online", () => this.flush());
  }

  /** Take over what was left unsent, then send, listen, and know what can be undone. */
  async start() {
    await this._takeOver(await this.outbox.waiting());
    this.held = (await this.outbox.held()).map(({ wire, told }) => ({ op: kept(this.model, wire), wire, ...told }));
    if (this.held.length) this._tell("conflict");
    await this.recall().catch((error) => this._unheard(error));
    this.flush();
    this._listen();
  }

  /** Make what was kept in the browser once more, here, to be sent by this tab. */
  async _takeOver(entries) {
    for (const entry of entries) {
      if (this.pending.some(({ op }) => op.key === entry.key)) continue;
      const op = kept(this.model, entry.wire);
      if (op.undoes_key) await this._resolveUndo(op);
      this.model.apply(op);
      this.pending.push({ entry, op });
    }
  }

  /** Read the log of one's own operations from the server into the stacks. */
  async recall(limit = LOG_PAGE) {
    const { items } = await getJson(`${this.api}/operations?limit=${limit}`);
    const by = new Map(items.map((op) => [op.version, op.key]));
    const mine = items.filter((op) => op.key && op.user?.id === this.user.id && ["edit", "cut", "undo"].includes(op.kind));
    this.log = mine.reverse().map((op) => ({ ...received(this.model, op), undoes_key: op.undoes === null ? null : by.get(op.undoes) ?? "?" }));
    this.history.fold([...this.log, ...this.pending.map(({ op }) => op).filter((op) => !this.log.some((one) => one.key === op.key))]);
    this._tell("history");
  }

  get canUndo() {
    return this.model.mayEdit && !this.visiting && this.history.undos.length > 0;
  }

  get canRedo() {
    return this.model.mayEdit && !this.visiting && this.history.redos.length > 0;
  }

  undo() {
    if (this.canUndo) this.takeBack(this.history.undos.at(-1), "undo");
  }

  redo() {
    if (this.canRedo) this.takeBack(this.history.redos.at(-1), "redo");
  }

  /** Take back an operation (as the model takes it) by its inverse. */
  takeBack(op, tool = "undo") {
    const back = { ...inverse(op), key: newKey(), tool, undoes_key: op.key, why: null };
    if (op.cut) back.cut = op.cut;
    else this.model.apply(back);
    this._made(back);
  }

  /* sending */

  async _made(op) {
    this.history.note(op);
    this._tell("history");
    const wire = sent(this.model, op);
    const one = { entry: null, op };
    this.pending.push(one);
    this._state("saving");
    one.entry = await this.outbox.put(wire, this.model.version);
    this.flush();
  }

  /** Send what waits, one request at a time. */
  async flush() {
    if (this.sending || this.ended || this.visiting) return;
    this.sending = true;
    try {
      while (this.pending.length && this.pending[0].entry && !this.ended) await this._send(this._batch());
      if (!this.pending.length) this._state("saved");
    } catch (error) {
      this._unheard(error);
    } finally {
      this.sending = false;
    }
  }

  /** Pending operations of one tab that go into one request. */
  _batch() {
    const batch = [];
    let units = 0;
    const { client } = this.pending[0].entry;
    for (const one of this.pending) {
      if (!one.entry || one.entry.client !== client || batch.length === BATCH_OPERATIONS) break;
      units += (one.entry.wire.moves ?? []).reduce((sum, move) => sum + move.units.length, 0);
      if (batch.length && units > BATCH_UNITS) break;
      batch.push(one);
    }
    return batch;
  }

  async _send(batch) {
    this._state("saving");
    const { client, base } = batch[0].entry;
    let answer;
    try {
      answer = await postJson(`${this.api}/operations`, { base, client, operations: batch.map(({ entry }) => entry.wire) });
    } catch (error) {
      if (!(error instanceof ApiError) || error.status >= 500 || error.status === 401 || error.status === 429) throw error;
      return this._refused(batch, error);
    }
    this.failures = 0;
    const keys = new Set(batch.map(({ op }) => op.key));
    await this.outbox.remove([...keys]);
    this._beneath(answer.since, keys);
    this.model.setVersion(answer.version);
    this._rebase();
    if (batch.some(({ op }) => op.cut)) return this._tell("ground");
    this._compare(answer);
    this._tell("saved", answer);
  }

  /** The server said no: because others were faster, or because it must not be. */
  async _refused(batch, error) {
    const key = error.details.key ?? (batch.length === 1 ? batch[0].op.key : null);
    const at = batch.find(({ op }) => op.key === key) ?? batch[0];
    if (["PLAN_NOT_DRAFT", "PLAN_NOT_FOUND", "FORBIDDEN", "NOT_FOUND"].includes(error.code)) {
      return this._close(error);
    }
    const { since = [], version } = error.details;
    this._beneath(since, new Set(), at);
    if (version) this.model.setVersion(version);
    this._rebase();
    this.history.forget(at.op.key);
    this._tell("history");
    const told = { message: error.message, since };
    if (error.code === "PLAN_CHANGED" && !at.op.undoes_key) {
      await this.outbox.hold(at.entry, told);
      this.held.push({ op: at.op, wire: at.entry.wire, ...told });
      this._tell("conflict");
    } else {
      await this.outbox.remove([at.op.key]);
      this._tell("refused", { error });
    }
  }

  /** Nothing is saved any more: the plan is none of ours, or no draft. What waits stays in the browser. */
  _close(error) {
    this.ended = true;
    this._state("closed");
    this._tell("closed", { error, waiting: this.pending.length });
  }

  /** Make what was held once more, on the plan as it stands now. */
  async again(what) {
    this.held = this.held.filter((one) => one !== what);
    const op = { ...kept(this.model, what.wire), key: newKey() };
    this.model.apply(op);
    await this._made(op);
    await this.drop(what);
  }

  async drop(what) {
    this.held = this.held.filter((one) => one !== what);
    this._tell("state");
    await this.outbox.remove([what.wire.key]);
  }

  /** Put operations of others under the pending ones, of which some are confirmed now and one may be refused. */
  _beneath(since, confirmed = new Set(), refused = null) {
    const others = since.filter((op) => op.version > this.model.version);
    const before = this.pending;
    this.pending = before.filter((one) => one !== refused && !confirmed.has(one.op.key));
    if (!others.length && !refused) return;
    const here = (one) => !one.op.cut; // a cut is only done on the server
    for (const one of before.filter(here).reverse()) this.model.revert(one.op);
    for (const op of others) this.model.apply(received(this.model, op), { remote: true });
    for (const one of before.filter(here)) if (one !== refused) this.model.apply(one.op);
    if (others.some((op) => op.cut)) this._tell("ground");
  }

  /** What waits was made on a plan that is now known up to the present version. */
  _rebase() {
    for (const { entry } of this.pending) if (entry && entry.client === this.client) entry.base = Math.max(entry.base, this.model.version);
  }

  /** The server's recount wins: where it differs from ours, the plan is loaded anew. */
  _compare(answer) {
    if (this.pending.length) return;
    for (const grid of answer.grids) {
      if (!this.model.grids.has(grid.id)) continue;
      const mine = this.model.stats(grid.id);
      if (mine.households !== grid.households || mine.units !== grid.units || mine.population !== grid.population) {
        return this._tell("differs", { grid, mine });
      }
    }
  }

  async _cut({ unit, line }) {
    await this.flush();
    if (this.pending.length) return this._tell("refused", { error: new Error(t("请等前面的改动保存后再切分单元。")) });
    try {
      await postJson(`${this.api}/cut`, { key: newKey(), base: this.model.version, client: this.client, unit: this.model.ground.id[unit], line });
      this._tell("ground");
    } catch (error) {
      this._tell("refused", { error });
    }
  }

  /** An undo that was kept over a reload: what it does follows from the log. */
  async _resolveUndo(op) {
    const { items } = await getJson(`${this.api}/operations?limit=${LOG_PAGE}`);
    const found = items.find((one) => one.key === op.undoes_key);
    if (!found || items.some((one) => one.key === op.key)) return;
    const { moves, grids } = inverse(received(this.model, found));
    Object.assign(op, { moves, grids });
  }

  _unheard(error) {
    if (error instanceof ApiError && error.status === 401) return;
    this.failures++;
    this._state("offline");
    clearTimeout(this.retry);
    this.retry = setTimeout(() => this.flush(), RETRY_MS[Math.min(this.failures, RETRY_MS.length) - 1]);
    if (!(error instanceof ApiError) && !(error instanceof TypeError)) throw error;
  }

  /* listening */

  _listen() {
    const beat = async () => {
      if (!this.ended && !this.visiting && !this.sending) await this.pulse();
      this.beating = setTimeout(beat, document.hidden ? HIDDEN_MS : PULSE_MS);
    };
    beat();
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) return;
      clearTimeout(this.beating);
      beat();
    });
  }

  /** Say that we are here; take in what others did. */
  async pulse() {
    try {
      const answer = await postJson(`${this.api}/pulse`, { client: this.client, since: this.model.version, grid: this.model.active });
      if (this.sending) return; // what is being sent brings the same, in order
      const fresh = answer.since.filter((op) => op.version > this.model.version);
      this._beneath(fresh);
      // counts that were made anew (an import) raise the version and leave no operation: the ground itself is another
      const counted = answer.version > this.model.version && !fresh.some((op) => op.version === answer.version);
      if (answer.version > this.model.version) this.model.setVersion(answer.version);
      this._rebase();
      if (counted && !this.pending.length) this._tell("ground");
      if (fresh.length) this._tell("others", fresh);
      this._tell("present", answer);
      await this._takeOver(await this.outbox.orphans()); // a tab that was killed, and one reopened before it was missed
      if (this.state === "offline" || this.pending.length) this.flush();
    } catch (error) {
      if (error instanceof ApiError && error.status < 500) {
        this.ended = ["PLAN_NOT_FOUND", "NOT_FOUND"].includes(error.code);
        if (this.ended) this._close(error);
      } else this._state("offline");
    }
  }

  /* visiting an earlier state */

  /** Show the plan as it was after an operation; nothing can be changed until `leave`. */
  async visit(version) {
    await this.leave();
    await this.flush();
    if (this.pending.length) return false;
    const later = [];
    let before = null;
    do {
      const { items } = await getJson(`${this.api}/operations?limit=${LOG_PAGE}${before === null ? "" : `&before=${before}`}`);
      if (!items.length) break;
      later.push(...items.filter((op) => op.version > version));
      before = items.at(-1).version;
    } while (before > version);
    if (later.some((op) => op.cut)) return false;
    this.visiting = { version, later: later.map((op) => received(this.model, op)), mayEdit: this.model.mayEdit };
    this.model.mayEdit = false;
    for (const op of this.visiting.later) this.model.revert(op, { remote: true });
    this._tell("visit");
    return true;
  }

  /** Back to the present. */
  async leave() {
    if (!this.visiting) return;
    const { later, mayEdit } = this.visiting;
    for (const op of [...later].reverse()) this.model.apply(op, { remote: true });
    this.model.mayEdit = mayEdit;
    this.visiting = null;
    this._tell("visit");
  }

  _state(state) {
    this.state = state;
    this._tell("state");
  }

  _tell(name, detail = null) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
