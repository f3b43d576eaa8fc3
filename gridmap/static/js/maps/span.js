// Days of a time slider: which day is where, what lies in a window, and how they are said. No map, no page.
(function () {
  "use strict";
  const gm = (window.gridmap = window.gridmap || {});
  const DAY_MS = 86_400_000;

  /** What a time slider says, where it is given no other words. */
  gm.SLIDER_WORDS = {
    slider: "时间轴", start: "开始日期", end: "结束日期", window: "移动时间窗", play: "播放", pause: "暂停", back: "后退一步", forward: "前进一步",
    length: "时间窗", step: "步长", speed: "速度", days: "{n} 天", cases: "{n} 件", all: "全部时间", own: "自选", none: "这些条件下没有事件。", outside: "所选时间不在有事件的时间之内。", failed: "时间轴未能取回。",
  };

  /** The days from the first edge of a timeline to its last; a window is [begin, end) in days since the first. */
  gm.Span = class {
    /** `edges`: moments with their zone as the server says them; `counts` by bar, `days` by day (may be empty). */
    constructor({ edges, counts, days }) {
      this._first = Date.parse(`${edges[0].slice(0, 10)}T00:00:00Z`);
      this._zone = /(Z|[+-]\d\d:\d\d)$/.exec(edges[0])[1];
      this.at = edges.map((edge) => (Date.parse(`${edge.slice(0, 19)}Z`) - this._first) / DAY_MS); // local time, as it is written
      this.counts = counts;
      this.length = Math.max(1, Math.ceil(this.at[this.at.length - 1]));
      this._before = days.length ? [0] : null; // cases before each day
      for (const number of days) this._before?.push(this._before[this._before.length - 1] + number);
    }

    /** The day as 2026-03-01. */
    day(index) {
      return new Date(this._first + index * DAY_MS).toISOString().slice(0, 10);
    }

    /** Where a day (2026-03-01) is, kept within the span. */
    index(day) {
      return this.kept(Math.round((Date.parse(`${day}T00:00:00Z`) - this._first) / DAY_MS));
    }

    kept(index) {
      return Math.min(this.length, Math.max(0, index));
    }

    /** Cases of a window; null where the days are not known one by one. */
    cases([begin, end]) {
      if (!this._before) return null;
      const until = (index) => this._before[Math.min(index, this._before.length - 1)];
      return until(end) - until(begin);
    }

    /** A window as days (the last included) and as moments (half-open). */
    told([begin, end]) {
      const moment = (index) => `${this.day(index)}T00:00:00${this._zone}`;
      return { since: this.day(begin), until: this.day(end - 1), from: moment(begin), to: moment(end), days: end - begin, all: begin === 0 && end === this.length };
    }

    /** A window of the same length moved by `days`, kept inside. */
    moved([begin, end], days) {
      const size = end - begin;
      const to = Math.min(this.length - size, Math.max(0, begin + days));
      return [to, to + size];
    }

    /** A window of which one end ("start", "end") or all ("window") was drawn by `days`; it keeps a day at least. */
    dragged(which, [begin, end], days) {
      if (which === "window") return this.moved([begin, end], days);
      if (which === "start") return [Math.min(this.kept(begin + days), end - 1), end];
      return [begin, Math.max(this.kept(end + days), begin + 1)];
    }

    /** Years, or months where there are few, as [index, text] from left to right. */
    ticks(most) {
      const found = [];
      for (const step of [1, 3, 6, 12, 24, 60, 120]) {
        found.length = 0;
        const date = new Date(this._first);
        date.setUTCDate(1);
        for (;;) {
          const index = (date.getTime() - this._first) / DAY_MS;
          if (index >= this.length) break;
          const month = date.getUTCFullYear() * 12 + date.getUTCMonth();
          if (index >= 0 && index < 0.94 * this.length && month % step === 0) found.push([index, step < 12 ? date.toISOString().slice(0, 7) : String(date.getUTCFullYear())]);
          date.setUTCMonth(date.getUTCMonth() + 1);
        }
        if (found.length <= most) break;
      }
      return found;
    }
  };
})();
