// Functions that look at one element; each is called by name from elements.py.
(() => {
  const clean = (text) => (text || "").replace(/\s+/g, " ").trim().slice(0, 200);

  const resolved = (address) => {
    try {
      return new URL(address, document.baseURI).href;
    } catch {
      return address || location.href;
    }
  };

  const listOf = (start) => {
    const label = start.closest("label");
    const option = start.closest("option");
    const node = option ? option.closest("select") : label && label.control ? label.control : start.closest("select");
    return node && node.tagName === "SELECT" ? node : null;
  };

  const at = ([x, y]) => {
    let root = document, found = null;
    for (;;) {
      const hit = root.elementFromPoint(x, y);
      if (hit === null || hit === found) return found;
      found = hit;
      if (hit.shadowRoot === null) return found;
      root = hit.shadowRoot;
    }
  };

  // Elements of the document and its open shadow roots, in order, `most` at most.
  const elements = (most) => {
    const out = [], roots = [document];
    while (roots.length && out.length < most) {
      for (const node of roots.shift().querySelectorAll("*")) {
        out.push(node);
        if (node.shadowRoot) roots.push(node.shadowRoot);
      }
    }
    return out.slice(0, most);
  };

  const functions = {
    at,

    // What the middle of every element in sight would touch, described: [x, y, facts].
    all: (most) => {
      const found = new Map();
      for (const node of elements(most)) {
        const box = node.getBoundingClientRect();
        const left = Math.max(box.left, 0), right = Math.min(box.right, innerWidth);
        const top = Math.max(box.top, 0), bottom = Math.min(box.bottom, innerHeight);
        if (right - left < 1 || bottom - top < 1) continue;
        const place = [(left + right) / 2, (top + bottom) / 2], hit = at(place);
        if (hit !== null) found.set(place.join(" "), [...place, functions.describe(hit)]);
      }
      return Array.from(found.values());
    },

    focused: () => {
      let found = document.activeElement;
      while (found !== null && found.shadowRoot && found.shadowRoot.activeElement) found = found.shadowRoot.activeElement;
      return found === document.body ? null : found;
    },

    inner: (frame) => {
      const box = frame.getBoundingClientRect(), style = getComputedStyle(frame);
      return [
        box.left + frame.clientLeft + parseFloat(style.paddingLeft),
        box.top + frame.clientTop + parseFloat(style.paddingTop),
      ];
    },

    editable: (node) => {
      const taking = ["INPUT", "TEXTAREA", "SELECT", "IFRAME", "CANVAS", "OBJECT", "EMBED"];
      return node.isContentEditable || taking.includes(node.tagName);
    },

    list: (start) => {
      const node = listOf(start);
      if (node === null) return null;
      return {
        disabled: node.disabled,
        options: Array.from(node.options, (o) => ({
          text: clean(o.label || o.text),
          disabled: o.disabled || (o.parentElement.tagName === "OPTGROUP" && o.parentElement.disabled),
        })),
      };
    },

    choose: ([start, index]) => {
      const node = listOf(start);
      node.focus();
      if (node.multiple) node.options[index].selected = true;
      else node.selectedIndex = index;
      node.dispatchEvent(new Event("input", { bubbles: true, composed: true }));
      node.dispatchEvent(new Event("change", { bubbles: true }));
    },

    describe: (start) => {
      const wanted = "button,a,input,select,textarea,label,summary,option,[role],[contenteditable],[onclick]";
      let node = null;
      for (let at = start; at !== null && node === null; at = at.getRootNode().host || null) node = at.closest(wanted);
      // A region of the page is not named by everything in it, only by words of its own.
      const plain = node === null;
      node = node || start;
      const own = () => Array.from(node.childNodes, (c) => (c.nodeType === Node.TEXT_NODE ? c.data : "")).join(" ");
      if (node.tagName === "LABEL" && node.control) node = node.control;
      const kinds = { A: "link", BUTTON: "button", SELECT: "list", TEXTAREA: "field", IMG: "picture" };
      const type = node.tagName === "INPUT" || node.tagName === "BUTTON" ? node.type : "";
      const pressed = ["submit", "reset", "button", "image"].includes(type);
      const tag = node.tagName !== "INPUT" ? node.tagName.toLowerCase() : pressed ? "button" : `${type} field`;
      const root = node.getRootNode();
      const named = (node.getAttribute("aria-labelledby") || "").split(/\s+/).filter(Boolean)
        .map((id) => clean((root.getElementById ? root : document).getElementById(id)?.innerText)).join(" ");
      const labels = node.labels ? Array.from(node.labels, (label) => clean(label.innerText)).join(" ") : "";
      const names = [
        ["INPUT", "TEXTAREA", "SELECT"].includes(node.tagName) ? "" : clean(plain ? own() : node.innerText),
        pressed && node.tagName === "INPUT" ? clean(node.value) : "",
        clean(node.getAttribute("aria-label")), named, labels,
        clean(node.getAttribute("title")), clean(node.getAttribute("alt")), clean(node.getAttribute("placeholder")),
        clean(node.getAttribute("name")),
      ];
      const form = type === "submit" || type === "image" ? node.form : null;
      const target = form ? node.getAttribute("formaction") || form.getAttribute("action") || "" : "";
      return {
        kind: clean(node.getAttribute("role")).slice(0, 20) || kinds[node.tagName] || tag,
        names: Array.from(new Set(names.filter(Boolean))),
        href: node.tagName === "A" ? clean(node.href) : "",
        submits: form ? clean(resolved(target)) : "",
      };
    },

    enter: (node) => {
      if (node.tagName === "BUTTON" || node.tagName === "A" || node.tagName === "SUMMARY") return "presses it";
      const form = node.tagName === "INPUT" ? node.form : null;
      if (!form) return "";
      const button = form.querySelector("button:not([type]),button[type=submit],input[type=submit],input[type=image]");
      const fields = form.querySelectorAll("input:not([type=hidden]):not([type=checkbox]):not([type=radio])");
      if (!button && fields.length > 1) return "";
      const name = button ? clean(button.innerText || button.value || button.getAttribute("aria-label")) : "";
      // Asked by attribute: a field called "action" would hide the form's own property.
      const target = (button && button.getAttribute("formaction")) || form.getAttribute("action") || "";
      return `submits the form${name ? ` "${name.slice(0, 80)}"` : ""} to ${resolved(target).slice(0, 100)}`;
    },
  };
  return functions;
})()
