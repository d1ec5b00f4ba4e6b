"use strict";
(function () {
  var config = {
    displaylogo: false, displayModeBar: false, responsive: true, scrollZoom: false, doubleClick: false,
    showLink: false, showSendToCloud: false, showEditInChartStudio: false, plotlyServerURL: "", topojsonURL: ""
  };
  var PAPER = 680;  // CSS pixels between the margins of A4
  function scalable(place) {  // so that paper can be narrower than the window was
    place.querySelectorAll("svg.main-svg").forEach(function (svg) {
      svg.setAttribute("viewBox", "0 0 " + svg.getAttribute("width") + " " + svg.getAttribute("height"));
    });
  }
  document.querySelectorAll("script[data-figure]").forEach(function (source) {
    var place = source.previousElementSibling;
    var figure = JSON.parse(source.textContent);
    Plotly.newPlot(place, figure.data, figure.layout, config).then(function () {
      scalable(place);
      place.on("plotly_afterplot", function () { scalable(place); });
      window.addEventListener("beforeprint", function () { Plotly.relayout(place, { width: PAPER }); });
      window.addEventListener("afterprint", function () { Plotly.relayout(place, { width: null, autosize: true }); });
    });
  });
})();
