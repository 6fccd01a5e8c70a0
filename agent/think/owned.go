package think

import "errors"

// An OwnedMind is a Mind whose model nobody else uses: Close frees both.
type OwnedMind struct{ *Mind }

// Close frees what the mind remembers, and its model.
func (m OwnedMind) Close() error { return errors.Join(m.Mind.Close(), m.model.Close()) }
