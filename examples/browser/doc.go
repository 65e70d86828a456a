// Package browser holds no code but its tests: they open the pages of the server
// in headless Chromium and use them as people do, with a mouse, with the keyboard
// alone, and without scripts; in light and dark, wide and narrow, and with 10,000
// entries.
//
//   - What the copy buttons copy is read back from the clipboard.
//   - axe-core looks for what shuts people out, and must find nothing. It is no
//     part of this module: TPLKIT_AXE names its axe.min.js.
//   - Pictures of the pages go into the directory that TPLKIT_ARTIFACTS names, if
//     it is set.
//
// Chromium is driven over a pair of pipes with its DevTools protocol. Without
// Debian's chromium, or without axe-core, tests are skipped, or fail if
// TPLKIT_REQUIRE_CLIENTS=1 is set.
package browser
