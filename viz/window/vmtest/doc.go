// Package vmtest drives the real window in tests: a guest program with Ebitengine in it runs without a
// display of its own, and gets keys and clicks and gives its frames back through Ebitengine's vmhost.
package vmtest
