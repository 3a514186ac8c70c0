// The drawing: rendered once, after that only classes move.

const LARGEST_SCALE = 1.2; // a small machine need not fill the page
const SMALLEST_SCALE = 0.6; // below, labels cannot be read: then it scrolls
const GOOD_SCALE = 0.75; // from here on the other way round is not tried

export async function draw(place, { text, aliases, edges }) {
  globalThis.mermaid.initialize({
    startOnLoad: false,
    securityLevel: "strict",
    theme: "base",
    fontFamily: "system-ui, sans-serif",
    state: { nodeSpacing: 56, rankSpacing: 48 },
    flowchart: { subGraphTitleMargin: { top: 4, bottom: 12 } }, // groups of states obey it too
  });
  const svg = await render(place, text);
  place.replaceChildren(svg);
  new ResizeObserver(() => fit(svg, place)).observe(place);
  fit(svg, place);
  return new Drawing(svg, aliases, edges);
}

// Side by side where that fits, else one below the other if that can be drawn larger.
async function render(place, text) {
  const across = await parse("diagram-across", text.replace("\n", "\n    direction LR\n"));
  if (scale(across, place) >= GOOD_SCALE) return across;
  const down = await parse("diagram-down", text);
  return scale(down, place) > scale(across, place) ? down : across;
}

async function parse(id, text) {
  const { svg } = await globalThis.mermaid.render(id, text);
  return document.adoptNode(new DOMParser().parseFromString(svg, "text/html").querySelector("svg"));
}

function scale(svg, place) {
  const { width, height } = svg.viewBox.baseVal;
  const room = Math.max(320, 0.62 * innerHeight);
  return Math.min(place.clientWidth / width, room / height, LARGEST_SCALE);
}

function fit(svg, place) {
  const factor = Math.max(scale(svg, place), SMALLEST_SCALE);
  const { width, height } = svg.viewBox.baseVal;
  svg.style.maxWidth = "none";
  svg.style.width = `${Math.floor(width * factor)}px`;
  svg.style.height = `${Math.floor(height * factor)}px`;
}

class Drawing {
  constructor(svg, aliases, edges) {
    this.svg = svg;
    this.aliases = aliases;
    this.edges = edges;
    this.mark(this.node("any"), "any-state");
  }

  node(alias) {
    return this.svg.querySelector(`g.node[id*="state-${alias}-"]`);
  }

  // The state the machine is in; a state of another version is on no drawing.
  enter(state) {
    this.clear("active");
    const alias = Object.hasOwn(this.aliases, state ?? "") ? this.aliases[state] : null;
    const node = alias && this.node(alias);
    this.mark(node, "active");
    if (node) this.bringIntoSight(node);
  }

  // Moves the drawing inside its box only, never the page.
  bringIntoSight(node) {
    const box = this.svg.parentElement;
    const seen = box.getBoundingClientRect();
    const { left, right, top, bottom } = node.getBoundingClientRect();
    if (left < seen.left || right > seen.right || top < seen.top || bottom > seen.bottom) {
      box.scrollBy((left + right - seen.left - seen.right) / 2, (top + bottom - seen.top - seen.bottom) / 2);
    }
  }

  // The edge that a step took, exactly; a wildcard's edge if that is what it took.
  take({ transition, source }) {
    this.clear("taken");
    const index = this.edgeOf(transition, source);
    if (index < 0) return;
    this.mark(this.svg.querySelector(`path.transition[data-id="edge${index}"]`), "taken");
    const label = this.svg.querySelector(`g.label[data-id="edge${index}"]`);
    this.mark(label?.closest("g.edgeLabel") ?? label, "taken");
  }

  edgeOf(transition, source) {
    const find = (from) => this.edges.findIndex((edge) => edge[0] === transition && edge[1] === from);
    if (transition === null) return source === null ? find(null) : -1;
    const exact = find(source);
    return exact < 0 ? find(null) : exact;
  }

  clear(name) {
    for (const element of this.svg.querySelectorAll(`.${name}`)) element.classList.remove(name);
  }

  mark(element, name) {
    element?.classList.add(name);
  }
}
