// Keys for lists of cases; every one of them does what a link or a button of the page does.
"use strict";

const links = [...document.querySelectorAll(".case h2 a")];

function beside(step) {
  const here = links.indexOf(document.activeElement);
  const next = here < 0 ? (step > 0 ? 0 : links.length - 1) : here + step;
  links[Math.max(0, Math.min(links.length - 1, next))]?.focus();
}

function within(selector) {
  return document.activeElement?.closest?.(".case")?.querySelector(selector);
}

const keys = {
  j: () => beside(1),
  k: () => beside(-1),
  a: () => within("form button")?.click(),
  x: () => within("input[name=keys]")?.click(),
  "/": () => document.querySelector("input[type=search]")?.focus(),
};

document.addEventListener("keydown", (press) => {
  const writing = press.target.matches("input:not([type=checkbox]), textarea, select");
  if (writing || press.ctrlKey || press.metaKey || press.altKey || !keys[press.key]) return;
  press.preventDefault();
  keys[press.key]();
});
