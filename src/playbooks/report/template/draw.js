"use strict";
(function () {
  var config = {
    displaylogo: false, displayModeBar: false, responsive: true, scrollZoom: false, doubleClick: false,
    showLink: false, showSendToCloud: false, showEditInChartStudio: false, plotlyServerURL: "", topojsonURL: ""
  };
  var PAPER = 680;  // CSS pixels between the margins of A4
  var waiting = Array.from(document.querySelectorAll("script[data-figure]"));
  function scalable(place) {  // so that paper can be narrower than the window was
    place.querySelectorAll("svg.main-svg").forEach(function (svg) {
      svg.setAttribute("viewBox", "0 0 " + svg.getAttribute("width") + " " + svg.getAttribute("height"));
    });
  }
  function draw(source) {
    var place = source.previousElementSibling;
    var figure = JSON.parse(source.textContent);
    Plotly.newPlot(place, figure.data, figure.layout, config).then(function () {
      scalable(place);
      place.on("plotly_afterplot", function () { scalable(place); });
      window.addEventListener("beforeprint", function () { Plotly.relayout(place, { width: PAPER }); });
      window.addEventListener("afterprint", function () { Plotly.relayout(place, { width: null, autosize: true }); });
    });
  }
  function next() {  // one after the other: the text is there at once, however many figures follow
    if (waiting.length) {
      draw(waiting.shift());
      window.setTimeout(next, 0);
    }
  }
  window.addEventListener("beforeprint", function () { while (waiting.length) { draw(waiting.shift()); } });
  window.addEventListener("load", function () { window.setTimeout(next, 0); });
})();
