// A time slider: a histogram of cases, a window of days to be dragged by both ends or as a whole, and playback.
(function () {
  "use strict";
  const gm = (window.gridmap = window.gridmap || {});
  const LENGTHS = [7, 30, 90, 365];
  const STEPS = [1, 7, 30];
  const SPEEDS = [["0.5×", 1600], ["1×", 800], ["2×", 400]];
  const SLOWEST_MS = 1600;
  const calm = () => window.matchMedia("(prefers-reduced-motion: reduce)").matches;

  const TimeSlider = L.Control.extend({
    options: { position: "bottomleft" },
    includes: L.Evented.prototype,

    initialize(options) {
      this._source = options;
      this._params = options.params || {};
      this._words = { ...gm.SLIDER_WORDS, ...options.labels };
      this._range = null; // null: all
      this._epoch = 0;
      this._run = 0;
      this.playing = false;
      this._build();
    },

    /** Into the element `options.container`, or into the map's corner. */
    addTo(map) {
      const place = this._source.container && document.getElementById(this._source.container);
      if (!place) return L.Control.prototype.addTo.call(this, map);
      this._map = map;
      place.append(this._box);
      this.load();
      return this;
    },

    onAdd(map) {
      L.DomEvent.disableClickPropagation(this._box);
      L.DomEvent.disableScrollPropagation(this._box);
      this._box.classList.add("on-map");
      const wide = map.getSize().x;
      this._box.style.width = `${Math.min(560, wide - 20)}px`;
      // where there is no room beside it the legend stands above
      if (wide < 800) new ResizeObserver(() => (map._controlCorners.bottomright.style.bottom = `${this._box.offsetHeight + 10}px`)).observe(this._box);
      this.load();
      return this._box;
    },

    onRemove() {
      this.pause();
    },

    /** The window drives a heat layer; the next frame is fetched while one is looked at. */
    drive(heat) {
      const own = { ...heat._params }; // a bandwidth, say
      const params = (told) => ({ ...own, ...this._params, ...(told.all ? {} : { since: told.from, until: told.to }) });
      this.show = (told, next) => {
        const shown = heat.setParams(params(told));
        if (next) heat.prefetch(params(next));
        return shown;
      };
      this.on("change", ({ told, settled }) => settled && this.show(told));
      return this;
    },

    /** Count what fits `params` (category, region …; not the span). */
    setParams(params) {
      this._params = params;
      return this.load();
    },

    /** The window from `since` to `until` (days, both included); without them all. Fires nothing. */
    setRange(since, until) {
      this._wanted = [since, until];
      if (!this._span) return;
      const begin = since ? this._span.index(since) : 0;
      const end = until ? this._span.kept(this._span.index(until) + 1) : this._span.length;
      this._place(begin < end ? [begin, end] : this._span.moved([begin, begin + 1], 0));
      const outside = (since && since > this._span.day(this._span.length - 1)) || (until && until < this._span.day(0));
      if (outside) this._said.textContent = this._words.outside; // the window stands at the end that is nearest
    },

    async load() {
      const epoch = ++this._epoch;
      const url = new URL(this._source.url, window.location.href);
      for (const [key, value] of Object.entries(this._params)) {
        for (const one of [value].flat()) if (one !== "" && one != null) url.searchParams.append(key, one);
      }
      this._box.setAttribute("aria-busy", "true");
      let found;
      try {
        const answer = await fetch(url, { headers: { Accept: "application/json" }, priority: "low" }); // the map first
        if (!answer.ok) {
          await answer.body?.cancel();
          throw new Error(`HTTP ${answer.status}`);
        }
        found = await answer.json();
      } catch (error) {
        if (epoch !== this._epoch) return;
        this._box.removeAttribute("aria-busy");
        this._said.textContent = this._words.failed;
        this.fire("failed", { error });
        return;
      }
      if (epoch !== this._epoch) return;
      this._box.removeAttribute("aria-busy");
      this._span = found.edges.length ? new gm.Span(found) : null;
      this._box.classList.toggle("empty", !this._span);
      this._draw();
      if (this._span) this.setRange(...(this._wanted || []));
      else this._said.textContent = this._words.none;
      this.fire("loaded", { span: this._span });
    },

    play() {
      if (this.playing || !this._span) return;
      const [begin, end] = this._range;
      const ended = end >= this._span.length;
      const own = ended && begin === 0 ? this._source.window ?? 30 : end - begin; // all of the time does not move
      const size = Math.min(Number(this._length.value) || own, this._span.length);
      const from = ended ? 0 : begin;
      this._place(this._span.moved([from, from + size], 0));
      this._run += 1;
      this.playing = true;
      this._draw_play();
      this.fire("play");
      this._frames(this._run);
    },

    pause() {
      if (!this.playing) return;
      this._run += 1;
      this.playing = false;
      this._draw_play();
      this.fire("pause", { told: this._span.told(this._range) });
      this._tell(true);
    },

    /** Frame after frame, each shown before the next begins. */
    async _frames(run) {
      for (;;) {
        const next = this._span.moved(this._range, Number(this._step.value));
        const last = next[0] === this._range[0];
        const told = this._span.told(this._range);
        this.fire("frame", { told, cases: this._span.cases(this._range) });
        const pace = new Promise((done) => setTimeout(done, calm() ? SLOWEST_MS : Number(this._speed.value)));
        await Promise.all([pace, this.show?.(told, last ? null : this._span.told(next))]);
        if (run !== this._run) return;
        if (last) return this.pause();
        this._place(next);
      }
    },

    _place(range) {
      this._range = range;
      const [begin, end] = range;
      const share = (index) => `${(100 * index) / this._span.length}%`;
      const { start, end: stop, window: pane } = this._grips;
      start.style.left = share(begin);
      stop.style.left = share(end);
      pane.style.left = share(begin);
      pane.style.width = share(end - begin);
      const told = this._span.told(range);
      const cases = this._span.cases(range);
      const days = this._words.days.replace("{n}", (end - begin).toLocaleString());
      const text = `${told.since} – ${told.until} · ${days}${cases === null ? "" : ` · ${this._words.cases.replace("{n}", cases.toLocaleString())}`}`;
      for (const [grip, value, said] of [[start, begin, told.since], [stop, end, told.until], [pane, begin, text]]) {
        grip.setAttribute("aria-valuemin", "0");
        grip.setAttribute("aria-valuemax", String(this._span.length));
        grip.setAttribute("aria-valuenow", String(value));
        grip.setAttribute("aria-valuetext", said);
      }
      this._said.textContent = text;
      for (const [k, bar] of [...this._bars.children].entries()) bar.classList.toggle("in", this._span.at[k] < end && this._span.at[k + 1] > begin);
      if (!this.playing) this._length.value = LENGTHS.includes(end - begin) ? String(end - begin) : "";
    },

    _tell(settled) {
      this.fire("change", { told: this._span.told(this._range), cases: this._span.cases(this._range), settled });
    },

    _draw() {
      this._bars.replaceChildren();
      this._axis.replaceChildren();
      if (!this._span) return;
      const { at, counts, length } = this._span;
      const most = Math.max(1, ...counts);
      this._bars.setAttribute("viewBox", `0 0 ${length} 100`);
      counts.forEach((number, k) => {
        const bar = document.createElementNS("http://www.w3.org/2000/svg", "rect");
        const tall = number && Math.max(2, (100 * number) / most);
        const width = at[k + 1] - at[k];
        for (const [name, value] of Object.entries({ x: at[k] + 0.06 * width, width: 0.88 * width, y: 100 - tall, height: tall })) bar.setAttribute(name, value);
        this._bars.append(bar);
      });
      for (const [index, text] of this._span.ticks(Math.max(2, Math.floor((this._track.clientWidth || 600) / 80)))) {
        const tick = L.DomUtil.create("span", "", this._axis);
        tick.textContent = text;
        tick.style.left = `${(100 * index) / length}%`;
      }
    },

    _draw_play() {
      this._play.textContent = this.playing ? "❚❚" : "▶";
      this._play.setAttribute("aria-label", this.playing ? this._words.pause : this._words.play);
      this._play.title = this.playing ? this._words.pause : this._words.play;
    },

    _build() {
      const words = this._words;
      const box = (this._box = L.DomUtil.create("div", "time-slider"));
      box.setAttribute("role", "group");
      box.setAttribute("aria-label", words.slider);
      const head = L.DomUtil.create("div", "ts-head", box);
      const button = (text, name, act) => {
        const made = L.DomUtil.create("button", "ts-button", head);
        made.type = "button";
        made.textContent = text;
        made.title = name;
        made.setAttribute("aria-label", name);
        made.addEventListener("click", act);
        return made;
      };
      button("◂", words.back, () => this._shift(-Number(this._step.value)));
      this._play = button("▶", words.play, () => (this.playing ? this.pause() : this.play()));
      this._play.classList.add("play");
      button("▸", words.forward, () => this._shift(Number(this._step.value)));
      this._said = L.DomUtil.create("output", "ts-said", head);
      const days = (n) => words.days.replace("{n}", n);
      this._length = this._choice(head, words.length, [["", words.own], ...LENGTHS.map((n) => [n, days(n)])], this._source.window ?? 30);
      this._step = this._choice(head, words.step, STEPS.map((n) => [n, days(n)]), this._source.step ?? 7);
      this._speed = this._choice(head, words.speed, SPEEDS.map(([text, ms]) => [ms, text]), 800);
      this._length.addEventListener("change", () => {
        if (!this._span || !this._length.value) return;
        const begin = this._range[0] === 0 && this._range[1] === this._span.length ? this._span.length - Number(this._length.value) : this._range[0];
        this._place(this._span.moved([begin, begin + Math.min(Number(this._length.value), this._span.length)], 0));
        this._tell(true);
      });
      this._track = L.DomUtil.create("div", "ts-track", box);
      this._bars = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      this._bars.setAttribute("class", "ts-bars");
      this._bars.setAttribute("preserveAspectRatio", "none");
      this._bars.setAttribute("aria-hidden", "true");
      this._track.append(this._bars);
      this._grips = { window: this._grip("window"), start: this._grip("start"), end: this._grip("end") };
      this._axis = L.DomUtil.create("div", "ts-axis", box);
      this._axis.setAttribute("aria-hidden", "true");
      document.addEventListener("visibilitychange", () => document.hidden && this.pause());
    },

    _choice(head, name, choices, chosen) {
      const label = L.DomUtil.create("label", "ts-choice", head);
      L.DomUtil.create("span", "", label).textContent = name;
      const select = L.DomUtil.create("select", "", label);
      select.setAttribute("aria-label", name);
      for (const [value, text] of choices) select.append(new Option(text, value, false, value === chosen));
      return select;
    },

    /** One end of the window, or the window itself: a slider for pointer, finger and keys. */
    _grip(which) {
      const grip = L.DomUtil.create("div", `ts-grip ${which}`, this._track);
      grip.tabIndex = 0;
      for (const [name, value] of Object.entries({ role: "slider", "aria-label": this._words[which], "aria-valuemin": 0, "aria-valuemax": 1, "aria-valuenow": 0 })) grip.setAttribute(name, value);
      let from = null;
      grip.addEventListener("pointerdown", (event) => {
        if (!this._span || event.button > 0) return;
        event.preventDefault();
        this.pause();
        grip.focus({ preventScroll: true });
        grip.setPointerCapture(event.pointerId);
        from = { x: event.clientX, range: this._range };
      });
      grip.addEventListener("pointermove", (event) => {
        if (!from) return;
        const days = Math.round(((event.clientX - from.x) / this._track.clientWidth) * this._span.length);
        this._place(this._span.dragged(which, from.range, days));
        this._tell(false);
      });
      const drop = () => {
        if (!from) return;
        from = null;
        this._tell(true);
      };
      grip.addEventListener("pointerup", drop);
      grip.addEventListener("pointercancel", drop);
      grip.addEventListener("keydown", (event) => {
        if (!this._span) return;
        const step = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -30, PageUp: 30, Home: -1e6, End: 1e6 }[event.key];
        if (step === undefined) return;
        event.preventDefault();
        this.pause();
        this._place(this._span.dragged(which, this._range, step));
        this._tell(true);
      });
      return grip;
    },

    _shift(days) {
      if (!this._span) return;
      this.pause();
      this._place(this._span.moved(this._range, days));
      this._tell(true);
    },
  });

  gm.timeSlider = (options) => new TimeSlider(options);
})();
