/* Draws the curves of a cell when it is opened; everything it shows lies in the page. */
(function () {
  'use strict';
  const PALETTE = ['#3b7dd8', '#e07b39', '#3aa17e', '#b058b8', '#c9a227', '#d0505a', '#6b7785', '#4bb3c4'];
  const drawn = new Set();

  function colours() {
    const style = getComputedStyle(document.documentElement);
    return {ink: style.getPropertyValue('--ink').trim(), line: style.getPropertyValue('--line').trim(), bad: style.getPropertyValue('--invalid').trim()};
  }

  /* Faults are shaded in every plot over time, from the moment they were in force to their heal. */
  function shades(data, ends_s, bad) {
    return data.faults.filter((f) => f.started_s !== null).map((f) => ({
      type: 'rect', xref: 'x', yref: 'paper', x0: f.started_s, x1: f.healed_s === null ? ends_s : Math.min(f.healed_s, ends_s), y0: 0, y1: 1,
      fillcolor: bad, opacity: 0.13, line: {width: 0}, layer: 'below', label: {text: f.plan.fault, font: {size: 10}, textposition: 'top left'},
    }));
  }

  function lines(x, named) {
    return Object.entries(named).map(([name, y], i) => ({x, y, name, mode: 'lines', line: {width: 1.6, color: PALETTE[i % PALETTE.length]}}));
  }

  function plots(data) {
    const s = data.series, x = s.starts_s;
    const vias = Object.keys(s.behind);
    return [
      {title: 'Latency by when it was due', y: 'ms', log: true, traces: lines(x, {'read p50': s.read.p50_ms, 'read p99': s.read.p99_ms, 'write p50': s.write.p50_ms, 'write p99': s.write.p99_ms})},
      {title: 'Requests', y: 'per second', traces: lines(x, {answered: s.answered_per_s, 'not answered': s.failed_per_s})},
      {title: 'Stale reads', y: 'reads per bin', traces: [{x, y: s.stale, type: 'bar', name: 'stale', marker: {color: PALETTE[5]}}]},
      {title: 'The stalest read of each bin', y: 'ms, at least', traces: [{x, y: s.stale_worst_ms, type: 'bar', name: 'worst', marker: {color: PALETTE[1]}}]},
      {title: 'Who answered reads', y: 'share', traces: lines(x, s.layers).map((t) => Object.assign(t, {stackgroup: 'one'}))},
      {title: 'Versions behind, worst read of each bin', heat: true, traces: [{x, y: vias, z: vias.map((v) => s.behind[v]), type: 'heatmap', colorscale: [[0, '#3aa17e'], [0.02, '#c9a227'], [1, '#b3261e']], zmin: 0, hovertemplate: '%{y} at %{x} s: %{z} behind<extra></extra>'}]},
      {title: 'How stale: share of all reads staler than …', y: 'share', logx: true, time: false, x: 'ms', traces: lines(s.stale_visible.at_ms, {reads: s.stale_visible.share}), empty: 'No read was stale.'},
      {title: 'Convergence: share of writes seen within …', y: 'share', time: false, x: 'ms', traces: lines(s.converged.at_ms, {'write and reader': s.converged.share}), empty: 'No write was watched.'},
    ];
  }

  function draw(cell) {
    const box = cell.querySelector('.plots');
    if (!box || drawn.has(cell.id) || !cell.offsetParent) { return; }
    drawn.add(cell.id);
    const data = JSON.parse(document.getElementById('data-' + cell.id).textContent);
    const c = colours(), starts = data.series.starts_s, ends_s = starts[starts.length - 1] + data.series.width_s;
    const all = plots(data);
    /* All places first: plotly takes the width that a place has when it is drawn. */
    const places = all.map(() => {
      const place = document.createElement('div');
      place.className = 'plot';
      return place;
    });
    box.append(...places);
    all.forEach((plot, number) => {
      const place = places[number];
      const time = plot.time !== false;
      const axis = {gridcolor: c.line, zerolinecolor: c.line, linecolor: c.line};
      const layout = {
        title: {text: plot.title, font: {size: 13}, x: 0.02, xanchor: 'left'}, height: plot.heat ? 90 + 26 * Math.max(4, plot.traces[0].y.length) : 280,
        margin: {l: plot.heat ? 130 : 52, r: 12, t: 36, b: 66}, paper_bgcolor: 'rgba(0,0,0,0)', plot_bgcolor: 'rgba(0,0,0,0)', font: {color: c.ink, size: 11},
        xaxis: Object.assign({title: {text: plot.x || 'seconds', standoff: 4}, type: plot.logx ? 'log' : 'linear', range: time ? [0, ends_s] : undefined}, axis),
        yaxis: Object.assign({title: {text: plot.y || ''}, type: plot.log ? 'log' : undefined, rangemode: 'tozero'}, axis),
        legend: {orientation: 'h', y: -0.24}, showlegend: !plot.heat && plot.traces.length > 1, shapes: time ? shades(data, ends_s, c.bad) : [],
      };
      if (plot.empty && !plot.traces[0].x.length) {
        layout.annotations = [{text: plot.empty, showarrow: false, xref: 'paper', yref: 'paper', x: 0.5, y: 0.5}];
      }
      Plotly.newPlot(place, plot.traces, layout, {responsive: true, displaylogo: false, modeBarButtonsToRemove: ['lasso2d', 'select2d']});
    });
  }

  function show() {
    document.querySelectorAll('.cell').forEach(draw);
  }

  const measure = document.getElementById('measure');
  if (measure) {
    measure.addEventListener('change', () => {
      document.querySelectorAll('[data-measure]').forEach((each) => { each.hidden = each.dataset.measure !== measure.value; });
    });
  }
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    drawn.clear();
    document.querySelectorAll('.plots').forEach((each) => { each.replaceChildren(); });
    show();
  });
  window.addEventListener('hashchange', show);
  /* Not before `load`: the cell that the address names is shown only then. */
  window.addEventListener('load', show);
}());
