// Pointing at a word, or going to it with Tab or the arrow keys, shows on the large
// picture where it looked.
for (const part of document.querySelectorAll(".explained")) {
  const large = part.querySelector(".large .photo");
  const steps = [...part.querySelectorAll(".step")];
  const show = step => {
    large.querySelector(".seen")?.remove();
    steps.forEach(s => s.classList.toggle("shown", s === step));
    const seen = step?.querySelector(".seen");
    if (seen) large.append(seen.cloneNode(true));
  };
  steps.forEach((step, i) => {
    step.tabIndex = 0;
    step.addEventListener("pointerenter", () => show(step));
    step.addEventListener("focus", () => show(step));
    step.addEventListener("keydown", event => {
      const to = { ArrowRight: i + 1, ArrowLeft: i - 1, Home: 0, End: steps.length - 1 }[event.key];
      if (!steps[to]) return;
      event.preventDefault();
      steps[to].focus();
    });
  });
  part.querySelector(".steps").addEventListener("pointerleave", () => show(document.activeElement?.closest(".step")));
}
