// What bars people and axe does not look at: gives a line for each, with the element.
() => {
    const shown = each => each.checkVisibility({visibilityProperty: true});
    const all = selector => [...document.querySelectorAll(selector)].filter(shown);
    const words = each => each.outerHTML.replace(/\s+/g, " ").slice(0, 120);
    const found = [];
    const flaw = (what, each) => found.push(`${what}: ${words(each)}`);
    const canvas = new OffscreenCanvas(1, 1).getContext("2d", {willReadFrequently: true});
    const rgb = color => {
        canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const light = ([r, g, b]) => [r, g, b].map(each => each / 255)
        .map(each => each <= .04045 ? each / 12.92 : ((each + .055) / 1.055) ** 2.4)
        .reduce((sum, each, at) => sum + each * [.2126, .7152, .0722][at], 0);
    const contrast = (one, other) => { const [dark, bright] = [light(one), light(other)].sort((a, b) => a - b); return (bright + .05) / (dark + .05); };
    const ground = each => { const own = rgb(getComputedStyle(each).backgroundColor); return own[3] === 255 ? own : each.parentElement ? ground(each.parentElement) : [255, 255, 255]; };
    // SC 1.4.11: one sees where a field is, by its own border or that of the frame around it.
    for (const field of all("input:not([type=hidden], [type=checkbox], [type=radio]), select, textarea")) {
        const framed = parseFloat(getComputedStyle(field).borderTopWidth) ? field : field.closest("form");
        if (contrast(rgb(getComputedStyle(framed).borderTopColor), ground(framed.parentElement)) < 3) flaw("border below 3:1", framed);
    }
    // SC 1.3.1: a label is a name and nothing more; what says more is tied to the control, and there.
    for (const label of all("label")) if (label.querySelector("[id^=hint-], [id^=error-]")) flaw("more than a name in a label", label);
    for (const each of all("[aria-describedby], [aria-labelledby], [aria-controls][aria-expanded=true]"))
        for (const id of `${each.getAttribute("aria-describedby") ?? ""} ${each.getAttribute("aria-labelledby") ?? ""}`.split(/\s+/))
            if (id && !document.getElementById(id)) flaw(`no ${id}`, each);
    for (const each of all("[aria-invalid=true]")) if (!each.getAttribute("aria-describedby")) flaw("nothing says what is wrong with it", each);
    const twice = (list, key, what) => { const seen = new Set(); for (const each of list) { const at = key(each); if (seen.has(at)) flaw(what, each); seen.add(at); } };
    if (!document.querySelector("[data-examples]")) {
        twice(document.querySelectorAll("[id]"), each => each.id, "an id twice");
        twice(all(".why:not(.tl .why)"), each => each.ariaLabel, "a name twice");
    }
    // SC 4.1.3: one region announces, and it stands before anything is told.
    for (const each of document.querySelectorAll("[role=status], [role=alert], [aria-live]")) if (each.id !== "told") flaw("another region that announces", each);
    // SC 1.4.10, 1.4.12: nothing sticks out, and no words are cut off.
    if (document.documentElement.scrollWidth > innerWidth) {
        const wide = all("main *, header *").find(each => each.getBoundingClientRect().right > innerWidth + 1 && !each.closest(".scroll"));
        flaw(`${document.documentElement.scrollWidth} wide`, wide ?? document.body);
    }
    for (const each of all("button, a, h1, h2, label, th, td, p, dd, dt"))
        if (getComputedStyle(each).overflow === "hidden" && !each.closest(".heard") && each.scrollHeight > each.clientHeight + 1) flaw("cut off", each);
    return found;
}
