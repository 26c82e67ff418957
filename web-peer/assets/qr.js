/*! QR codes by lean-qr, © David Evans, MIT licence: https://github.com/davidje13/lean-qr */
// Draws them. Loaded when somebody asks for one.
import { generate } from "lean-qr";

// Modules around it that stay light: readers look for them (ISO/IEC 18004, 5.3.8).
const QUIET = 4;

// Draws the first of these texts that is short enough for a code, a pixel for a module; returns it.
export function draw(canvas, texts) {
  for (const text of texts) {
    let code;
    try {
      code = generate(text);
    } catch {
      continue;
    }
    // The same in the dark: many readers take no light codes on dark ground.
    code.toCanvas(canvas, { on: [0, 0, 0, 255], off: [255, 255, 255, 255], padX: QUIET, padY: QUIET });
    return text;
  }
  throw new RangeError("too long for a code");
}
