((config) => {
  "use strict";
  const state = { done: false, success: false };
  const sections = Array.from(document.querySelectorAll("section"));
  const parts = new Map();
  for (const node of document.querySelectorAll("[data-c]")) {
    const number = Number(node.dataset.c);
    const entry = parts.get(number) || { number, box: node, text: node, input: null };
    if (node.tagName === "INPUT") {
      entry.box = node;
      entry.input = node;
    } else if (node.tagName === "LABEL") {
      entry.text = node;
    }
    parts.set(number, entry);
  }

  const finish = (success) => {
    state.done = true;
    state.success = success;
    if (success) {
      document.documentElement.style.background = "#fff";
      document.body.style.cssText = "margin:16px;background:#fff;color:#000;height:auto;overflow:visible";
      document.body.textContent = "Done";
      scrollTo(0, 0);
    }
  };

  const filled = () =>
    config.controls.every((control, number) => control.want === null || parts.get(number).input.value === control.want);

  const turn = () => {
    const at = sections.findIndex((section) => !section.hidden);
    sections[at].hidden = true;
    sections[at + 1].hidden = false;
    scrollTo(0, 0);
  };

  const act = (role) => {
    if (role === "right") finish(true);
    else if (role === "wrong") finish(false);
    else if (role === "submit") finish(filled());
    else if (role === "next") turn();
  };

  document.addEventListener("click", (event) => {
    const node = event.target instanceof Element ? event.target.closest("[data-c]") : null;
    if (node === null) return;
    if (node.tagName === "A") event.preventDefault();
    if (!state.done) act(config.controls[Number(node.dataset.c)].role);
  });
  document.addEventListener("submit", (event) => event.preventDefault());

  const rounded = (rect) => [rect.left, rect.top, rect.right, rect.bottom].map((v) => Math.round(v * 100) / 100);
  const textBox = (node) => {
    const walker = document.createTreeWalker(node, NodeFilter.SHOW_TEXT);
    const text = walker.nextNode();
    if (text === null) return rounded(node.getBoundingClientRect());
    const range = document.createRange();
    range.selectNodeContents(text);
    return rounded(range.getBoundingClientRect());
  };
  const elements = () => {
    const list = [];
    for (const part of parts.values()) {
      if (!part.box.isConnected || part.box.getClientRects().length === 0) continue;
      const control = config.controls[part.number];
      const entry = {
        word: control.word,
        kind: control.kind,
        box: rounded(part.box.getBoundingClientRect()),
        text_box: textBox(part.text),
      };
      if (control.kind === "field") entry.value = part.input.value;
      list.push(entry);
    }
    return list;
  };

  Object.defineProperty(window, config.name, {
    value: Object.freeze({ verdict: () => ({ ...state }), elements }),
    enumerable: false,
  });
})
