package minigrid

import "testing"

// TestBotFollowsInstructions lets the bot play seeds of every BabyAI id. A level that it does not solve must
// be proved unsolvable.
func TestBotFollowsInstructions(t *testing.T) {
	unsolvable := map[string]int{}
	for _, l := range babyLevels() {
		e, err := New(l.id, Config{})
		if err != nil {
			t.Fatal(err)
		}
		obs := make([]byte, e.Spec().ObsLen)
		bot := NewBot(e)
		for seed := range uint64(30) {
			e.Seed(seed)
			e.Reset(obs)
			hopeless := Unsolvable(e)
			if hopeless {
				unsolvable[l.id]++
			}
			if ok, steps, err := play(e, bot, obs); ok == hopeless {
				t.Errorf("%s seed %d, proved unsolvable %t: solved %t in %d steps (%v)", l.id, seed, hopeless, ok, steps, err)
			}
		}
	}
	// Keys lie in the rooms that they open (see lockedGoal), and strict doors spoil each other (see spoils).
	for id, n := range unsolvable {
		switch id {
		case "BabyAI-GoToImpUnlock-v0", "BabyAI-Unlock-v0", "BabyAI-OpenDoorsOrderN2Debug-v0", "BabyAI-OpenDoorsOrderN4Debug-v0":
		default:
			t.Errorf("%s: %d of 30 levels proved unsolvable", id, n)
		}
	}
}
