// Package window is the viewer: it shows a live session or a trace, and obeys a person.
//
// An [App] is all of it but the window: it takes [Input], keeps what is shown, and draws into images,
// so that every key and button can be tried without a display. [Run] puts it on screen with
// Ebitengine; a build with the tag nowindow lacks only that.
package window
