"use strict";
(() => {
  const SIZES = [[5000, 1.5], [1000, 2.5], [200, 4], [0, 6]];  // of markers, from a number of points on
  const CARDS_PER_PAGE = 20;
  const KEYS_WITHOUT_FILTER = 30;
  const LARGEST_SCALE = 6;  // of a thumbnail

  const data = JSON.parse(document.getElementById("view-data").textContent);
  const points = decode(data.points, Float32Array);
  const labels = decode(data.labels, Int32Array);
  const confidence = decode(data.confidence, Float32Array);
  const centers = data.centers && decode(data.centers, Float32Array);
  const classes = data.classes && decode(data.classes.indices, Int32Array);
  const hidden = new Set();

  showPages();
  if (hasWebGL()) showEmbedding();

  function decode(text, Type) {
    return new Type(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
  }

  function hasWebGL() {
    const canvas = document.createElement("canvas");
    return Boolean(canvas.getContext("webgl2") || canvas.getContext("webgl"));
  }

  function make(tag, text = "") {
    const element = document.createElement(tag);
    element.textContent = text;
    return element;
  }

  /* The embedding. */

  /* Points of hidden clusters are nowhere, so that they can't be pointed at either. */
  function coordinates(values, clusterOf) {
    const n = values.length / 3;
    return [0, 1, 2].map((axis) => Array.from(
      { length: n }, (_, i) => (hidden.has(clusterOf(i)) ? NaN : values[3 * i + axis])));
  }

  function trace(values, clusterOf, marker) {
    const [x, y, z] = coordinates(values, clusterOf);
    return { type: "scatter3d", mode: "markers", hoverinfo: "none", x, y, z, marker };
  }

  function ranges() {
    const axes = coordinates(points, () => -1).map((values) => {
      const low = values.reduce((a, b) => Math.min(a, b));
      const high = values.reduce((a, b) => Math.max(a, b));
      return { middle: (low + high) / 2, half: (high - low) / 2 };
    });
    const half = 1.05 * Math.max(...axes.map((axis) => axis.half)) || 1;
    return axes.map(({ middle }) => [middle - half, middle + half]);
  }

  function showEmbedding() {
    const plot = document.getElementById("embedding");
    document.getElementById("embedding-section").classList.add("live");
    const size = SIZES.find(([n]) => labels.length >= n)[1];
    const traces = [
      trace(points, (i) => labels[i], {
        size, opacity: 0.85, line: { width: 0 }, color: Array.from(labels, (k) => data.colors[k]),
      }),
      {
        ...trace([], () => 0, {
          size: size + 6, color: "rgba(0,0,0,0)", symbol: "circle-open",
          line: { width: 2, color: "#000" },
        }),
        hoverinfo: "skip",
      },
    ];
    if (centers) {
      traces.push({
        ...trace(centers, (k) => k, { size: size + 2, symbol: "diamond", color: "#000", opacity: 1 }),
        hoverinfo: "skip",
      });
    }
    const axis = (name, range) => ({
      title: { text: name, font: { size: 12 } }, range, showticklabels: false, showspikes: false,
      zeroline: false, gridcolor: "#e3e6ea", showbackground: true, backgroundcolor: "#f8f9fa",
    });
    const [x, y, z] = ranges().map((range, i) => axis(data.axes[i], range));
    // On a narrow screen from farther away, so that all of it is seen.
    const distance = plot.clientWidth < plot.clientHeight ? 1.6 : 1.25;
    const layout = {
      margin: { l: 0, r: 0, t: 0, b: 0 }, showlegend: false, paper_bgcolor: "#fff",
      scene: {
        xaxis: x, yaxis: y, zaxis: z, aspectmode: "cube", dragmode: "turntable",
        camera: { eye: { x: distance, y: -distance, z: 0.5 * distance } },
      },
    };
    const config = {
      displaylogo: false, responsive: true,
      modeBarButtonsToRemove: ["resetCameraLastSave3d", "tableRotation", "hoverClosest3d"],
    };
    Plotly.newPlot(plot, traces, layout, config);
    for (const event of ["plotly_hover", "plotly_click"]) {
      plot.on(event, ({ points: [point] }) => {
        if (point.curveNumber === 0) showSample(plot, point.pointNumber);
      });
    }
    listenToLegend(plot);
  }

  /* The sample that is pointed at. All texts are set as texts: names are no markup. */

  const sheet = data.sheet && Object.assign(new Image(), { src: data.sheet.image });

  function showSample(plot, i) {
    const box = document.getElementById("sample");
    if (box.dataset.sample === String(i)) return;
    box.dataset.sample = i;
    box.classList.toggle("has-image", Boolean(sheet));
    const facts = make("dl");
    const add = (name, value) => facts.append(make("dt", name), make("dd", value));
    add("sample", data.names[i]);
    add("cluster", labels[i]);
    add("confidence", `${Math.round(100 * confidence[i])}%`);
    if (classes) add("label", data.classes.names[classes[i]]);
    for (const { name, values } of data.rows) add(name, values[i]);
    const link = make("a", labels[i]);
    link.href = `#cluster-${labels[i]}`;
    facts.children[3].replaceChildren(link);
    box.replaceChildren(...(sheet ? [thumbnail(i)] : []), facts);
    mark(plot, i);
  }

  function thumbnail(i) {
    const { width, height, columns } = data.sheet;
    const canvas = make("canvas");
    const scale = Math.max(1, Math.min(LARGEST_SCALE, Math.floor(168 / Math.max(width, height))));
    canvas.width = scale * width;
    canvas.height = scale * height;
    const draw = () => {
      const context = canvas.getContext("2d");
      context.imageSmoothingEnabled = scale === 1;
      context.drawImage(
        sheet, (i % columns) * width, Math.floor(i / columns) * height, width, height,
        0, 0, canvas.width, canvas.height);
    };
    if (sheet.complete) draw();
    else sheet.addEventListener("load", draw, { once: true });
    return canvas;
  }

  function mark(plot, i) {
    const place = i === null ? [] : Array.from(points.subarray(3 * i, 3 * i + 3));
    const [x, y, z] = place.length ? place.map((value) => [value]) : [[], [], []];
    Plotly.restyle(plot, { x: [x], y: [y], z: [z] }, [1]);
  }

  /* The legend. */

  function listenToLegend(plot) {
    const legend = document.getElementById("legend");
    const keys = [...legend.children];
    const all = keys.map((key) => Number(key.dataset.cluster));
    const hide = (clusters) => {
      hidden.clear();
      clusters.forEach((cluster) => hidden.add(cluster));
      keys.forEach((key, k) => key.setAttribute("aria-pressed", !hidden.has(all[k])));
      redraw(plot);
    };
    const clusterOf = (event) => {
      const key = event.target.closest("button");
      return key && Number(key.dataset.cluster);
    };
    legend.addEventListener("click", (event) => {
      const cluster = clusterOf(event);
      // The second click of a double click.
      if (cluster === null || event.detail > 1) return;
      const others = [...hidden].filter((other) => other !== cluster);
      hide(hidden.has(cluster) ? others : [...others, cluster]);
    });
    legend.addEventListener("dblclick", (event) => {
      const cluster = clusterOf(event);
      if (cluster !== null) hide(all.filter((other) => other !== cluster));
    });
    document.getElementById("show-all").addEventListener("click", () => hide([]));
    document.getElementById("hide-all").addEventListener("click", () => hide(all));
    const filter = document.getElementById("legend-filter");
    filter.hidden = keys.length <= KEYS_WITHOUT_FILTER;
    filter.addEventListener("input", () => keys.forEach((key) => {
      key.hidden = !key.dataset.cluster.includes(filter.value.trim());
    }));
  }

  function redraw(plot) {
    const shown = [coordinates(points, (i) => labels[i]), [[], [], []]];
    if (centers) shown.push(coordinates(centers, (k) => k));
    const [x, y, z] = [0, 1, 2].map((axis) => shown.map((values) => values[axis]));
    Plotly.restyle(plot, { x, y, z }, shown.map((_, i) => i));
  }

  /* The cards, a page of them at a time. */

  function showPages() {
    const cards = [...document.getElementById("cards").children];
    if (cards.length <= CARDS_PER_PAGE) return;
    const pages = document.getElementById("pages");
    const last = Math.ceil(cards.length / CARDS_PER_PAGE) - 1;
    const [back, forth] = [make("button", "‹ previous"), make("button", "next ›")];
    const words = make("span");
    const wanted = Object.assign(make("input"), {
      type: "number", min: 0, max: cards.length - 1, placeholder: "cluster …",
    });
    wanted.setAttribute("aria-label", "Go to cluster");
    let page = 0;
    const show = (next) => {
      page = Math.min(Math.max(next, 0), last);
      const start = page * CARDS_PER_PAGE;
      const end = Math.min(start + CARDS_PER_PAGE, cards.length);
      cards.forEach((card, i) => { card.hidden = i < start || i >= end; });
      words.textContent = `clusters ${start} to ${end - 1} of ${cards.length.toLocaleString("en")}`;
      back.disabled = page === 0;
      forth.disabled = page === last;
    };
    const follow = () => {
      const card = /^#cluster-\d+$/.test(location.hash) && document.querySelector(location.hash);
      if (!card) return;
      show(Math.floor(cards.indexOf(card) / CARDS_PER_PAGE));
      card.scrollIntoView();
    };
    back.addEventListener("click", () => show(page - 1));
    forth.addEventListener("click", () => show(page + 1));
    wanted.addEventListener("change", () => {
      if (wanted.validity.valid && wanted.value) location.hash = `cluster-${wanted.value}`;
    });
    addEventListener("hashchange", follow);
    pages.append(back, words, forth, wanted);
    pages.hidden = false;
    show(0);
    follow();
  }
})();
