/** Undo and redo without limit: two stacks, folded from the server's log and gone on with by hand. */

export class History {
  constructor() {
    this.undos = [];
    this.redos = [];
  }

  /** The stacks that `log` (operations of one person in ascending order, as the model takes them) leaves. */
  fold(log) {
    this.undos = [];
    this.redos = [];
    for (const op of log) this.note(op);
  }

  /** An operation was made: an edit, or the undo or redo at the end of a stack (others are edits of their own). */
  note(op) {
    const target = op.undoes_key ?? null;
    if (op.tool === "undo" && target === this.undos.at(-1)?.key) {
      this.undos.pop();
      this.redos.push(op);
    } else if (op.tool === "redo" && target === this.redos.at(-1)?.key) {
      this.redos.pop();
      this.undos.push(op);
    } else {
      this.undos.push(op);
      this.redos = [];
    }
  }

  /** Forget an operation that the server did not take. */
  forget(key) {
    this.undos = this.undos.filter((op) => op.key !== key);
    this.redos = this.redos.filter((op) => op.key !== key);
  }
}
