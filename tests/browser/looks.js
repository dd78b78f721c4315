// Marks one element for each look that words have within an element: what looks the same has one contrast.
within => {
    for (const each of document.querySelectorAll("[data-look]")) delete each.dataset.look;
    const nothing = "rgba(0, 0, 0, 0),none,1,none,normal", grounds = new Map(), looks = new Set();
    let floating = 0;
    // What is drawn behind words: the same for all that stand in boxes of the same colors.
    const ground = each => {
        if (!each) return "";
        if (grounds.has(each)) return grounds.get(each);
        const style = getComputedStyle(each);
        const own = [style.backgroundColor, style.backgroundImage, style.opacity, style.filter, style.mixBlendMode].join();
        const over = ["static", "relative"].includes(style.position) ? "" : `/${++floating}`; // anything may be behind it
        const drawn = `${ground(each.parentElement)}${own === nothing ? "" : `/${own}`}${over}`;
        grounds.set(each, drawn);
        return drawn;
    };
    const own = each => [...each.childNodes].filter(node => node.nodeType === Node.TEXT_NODE).map(node => node.data).join("").trim();
    for (const each of document.querySelectorAll(`${within}, ${within} *`)) {
        const words = own(each), field = each.matches("input, select, textarea, button") && each.localName;
        if (!words && !field || !each.checkVisibility({visibilityProperty: true})) continue;
        // What axe says nothing of has looks of its own: what is switched off, covered, too small, or no words.
        const {x, y, width, height} = each.getBoundingClientRect(), hit = document.elementFromPoint(x + width / 2, y + height / 2);
        const covered = hit !== null && !each.contains(hit) && !hit.contains(each), small = width <= 1 || height <= 1;
        const off = (each.control ?? each).closest(":disabled, [aria-disabled=true], [inert]") !== null;
        const read = (words.match(/[\p{L}\p{N}]/gu)?.length ?? 0) > 1;
        const {color, fontSize, fontWeight, textShadow} = getComputedStyle(each);
        const look = [ground(each), color, fontSize, fontWeight, textShadow, field, covered, small, off, read].join();
        if (!looks.has(look)) each.dataset.look = "";
        looks.add(look);
    }
}
