// Figures for the dark, as the book draws its own (dark_svg.py): a colour is ink that covers so much
// of white paper; on dark paper the same ink is lighter, and keeps its hue.
"use strict";
(() => {
  const PAPER = [0x12, 0x12, 0x12].map((part) => part / 255), INK = [0xe3, 0xe8, 0xec].map((part) => part / 255);
  const LEAST_LIGHTNESS = 0.72, ROUNDING = 1e-9;
  const LMS = [[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566], [0.0883024619, 0.2817188376, 0.6299787005]];
  const LAB = [[0.2104542553, 0.793617785, -0.0040720468], [1.9779984951, -2.428592205, 0.4505937099], [0.0259040371, 0.7827717662, -0.808675766]];
  const times = (matrix, v) => matrix.map((row) => row.reduce((sum, a, i) => sum + a * v[i], 0));

  function inverse([[a, b, c], [d, e, f], [g, h, i]]) {
    const adjugate = [[e * i - f * h, c * h - b * i, b * f - c * e], [f * g - d * i, a * i - c * g, c * d - a * f], [d * h - e * g, b * g - a * h, a * e - b * d]];
    const determinant = a * adjugate[0][0] + b * adjugate[1][0] + c * adjugate[2][0];
    return adjugate.map((row) => row.map((value) => value / determinant));
  }

  const FROM_LMS = inverse(LMS), FROM_LAB = inverse(LAB);
  const linear = (x) => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
  const encoded = (x) => (x <= 0.0031308 ? 12.92 * x : 1.055 * Math.max(x, 0) ** (1 / 2.4) - 0.055);
  const toLab = (rgb) => times(LAB, times(LMS, rgb.map(linear)).map(Math.cbrt));
  const fromLab = (lab) => times(FROM_LMS, times(FROM_LAB, lab).map((x) => x ** 3)).map(encoded);

  function lighter(ink) {
    const [lightness, a, b] = toLab(ink), colourful = Math.min(1, Math.hypot(a, b) / 0.05);
    const least = Math.max(lightness, LEAST_LIGHTNESS + 0.35 * Math.max(0, 0.6 - lightness));
    const wanted = colourful * least + (1 - colourful) * toLab(INK)[0];
    let found;
    for (let k = 20; k >= 0; k--) { // as colourful as the screen can at this lightness
      found = fromLab([wanted, (k / 20) * a, (k / 20) * b]);
      if (found.every((x) => x >= -ROUNDING && x <= 1 + ROUNDING)) break;
    }
    return found.map((x) => Math.min(1, Math.max(0, x)));
  }

  function onDarkPaper(colour) {
    const cover = 1 - Math.min(...colour);
    if (cover === 0) return PAPER;
    const ink = lighter(colour.map((x) => (x - (1 - cover)) / cover));
    return ink.map((x, i) => (1 - cover) * PAPER[i] + cover * x);
  }

  // The palette and the colour map have colours of their own, which the page was built with.
  const known = JSON.parse(document.getElementById("live-colours")?.textContent ?? "{}");
  const asHex = (parts) => `#${parts.map((x) => Math.round(x * 255).toString(16).padStart(2, "0")).join("")}`;

  // Of three numbers from 0 to 255.
  Live.darkColour = (parts) => {
    const light = asHex(parts.map((x) => x / 255));
    return (known[light] ??= asHex(onDarkPaper(parts.map((x) => x / 255))));
  };

  const RGB = /^rgb\((\d+), (\d+), (\d+)\)$/;

  // The colour of both lights, as the browser writes it; what is no colour stays.
  Live.inBothLights = (colour) => {
    const parts = colour.match(RGB)?.slice(1).map(Number);
    return parts ? `light-dark(${colour}, ${Live.darkColour(parts)})` : colour;
  };

  // A picture has a million dots and few colours.
  function recolour(data) {
    const dark = new Map();
    for (let at = 0; at < data.length; at += 4) {
      const key = (data[at] << 16) | (data[at + 1] << 8) | data[at + 2];
      if (!dark.has(key)) dark.set(key, parseInt(Live.darkColour([...data.subarray(at, at + 3)]).slice(1), 16));
      const found = dark.get(key);
      data[at] = found >> 16; data[at + 1] = (found >> 8) & 255; data[at + 2] = found & 255;
    }
  }

  // A picture within a figure (a map of cells) gets a second one behind it, for the dark.
  Live.addDarkPicture = async (image) => {
    const light = new Image();
    light.src = image.getAttribute("href");
    await light.decode();
    const canvas = new OffscreenCanvas(light.naturalWidth, light.naturalHeight), context = canvas.getContext("2d");
    context.drawImage(light, 0, 0);
    const pixels = context.getImageData(0, 0, canvas.width, canvas.height);
    recolour(pixels.data);
    context.putImageData(pixels, 0, 0);
    const reader = new FileReader(), blob = await canvas.convertToBlob();
    await new Promise((resolve) => { reader.onload = resolve; reader.readAsDataURL(blob); });
    const dark = image.cloneNode();
    dark.setAttribute("href", reader.result);
    image.classList.add("live-in-light");
    dark.classList.add("live-in-dark");
    image.after(dark);
  };
})();
