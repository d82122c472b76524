((config) => {
  "use strict";
  const state = { done: false, success: false };
  let picked = 0;
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

  const pick = (number) => {
    if (config.controls[number].turn !== picked) return finish(false);
    picked += 1;
    parts.get(number).box.closest(".item").remove();
    if (!config.controls.some((control) => control.turn === picked)) finish(true);
  };

  const cover = () => document.querySelector(".veil");
  const uncover = () => {
    cover().remove();
    document.querySelector("[inert]").inert = false;
  };

  const act = (number) => {
    const role = config.controls[number].role;
    if (role === "right") finish(true);
    else if (role === "wrong") finish(false);
    else if (role === "submit") finish(filled());
    else if (role === "next") turn();
    else if (role === "pick") pick(number);
    else if (role === "uncover") uncover();
  };

  document.addEventListener("click", (event) => {
    const node = event.target instanceof Element ? event.target.closest("[data-c]") : null;
    if (node === null) return;
    if (node.tagName === "A") event.preventDefault();
    if (!state.done) act(Number(node.dataset.c));
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
  const shown = (part) => {
    if (!part.box.isConnected || part.box.getClientRects().length === 0) return false;
    return cover() === null || cover().contains(part.box);
  };
  const elements = () => {
    const list = [];
    for (const part of parts.values()) {
      if (!shown(part)) continue;
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

  // Many pages can be driven side by side, but only one has the keyboard: its focus ring is drawn by hand.
  const ring = (input) => {
    for (const part of parts.values()) {
      if (part.input !== null) part.input.style.outline = part.input === input ? "-webkit-focus-ring-color auto 1px" : "";
      if (part.input !== null && part.input !== input) part.input.scrollLeft = 0;
    }
  };
  const perform = (action) => {
    if (action.type === "scroll") return scrollBy(0, action.pixels);
    const wanted = action.type === "type" ? { word: action.field, kind: "field" } : action;
    const part = Array.from(parts.values()).find((each) => {
      const control = config.controls[each.number];
      return shown(each) && control.word === wanted.word && control.kind === wanted.kind;
    });
    if (action.type === "click") {
      ring(part.input);
      part.box.click();
    } else {
      part.input.value = action.text;
      part.input.scrollLeft = part.input.scrollWidth;
    }
  };

  Object.defineProperty(window, config.name, {
    value: Object.freeze({ verdict: () => ({ ...state }), elements, perform }),
    enumerable: false,
    configurable: true,
  });
})
