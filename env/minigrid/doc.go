// Package minigrid is MiniGrid 3.2.0 (Chevalier-Boisvert et al. 2023, arXiv:2306.13831) in Go, bit for
// bit: the same id and seed give the same layout, mission, observations, rewards, flags and pictures
// as the Python package, because its random numbers are NumPy's ([rng.Gen]).
//
// It has MiniGrid's 75 ids and BabyAI's 96, whose instructions and verifiers follow
// Chevalier-Boisvert et al. 2019 (arXiv:1810.08272); not Playground and the six ids of wave function
// collapse. The [Bot] plays all of them, a [Plan] MiniGrid's.
//
// Importing it registers the ids with env.Make. Its options:
//
//	view=7             width of the agent's square view, odd, 3 to 15
//	see_through=auto   whether walls and doors hide what is behind them: auto (as the id says), true, false
//	obs=partial        what the observation's image is; see [Obs]
//	max_steps=0        limit of an episode; 0 is the id's own
//	actions=0          the first so many actions, from 3; 0 is all of the id's
//
// # Observation
//
// An observation is image | direction | mission. With obs=partial the image is [view][view][3]
// bytes, image[i][j] = (type, colour, state) of the cell in column i from the left and row j from
// the top of what the agent sees; it stands at i = view/2, j = view-1 and looks towards j = 0. The
// direction is one byte: 0 right, 1 down, 2 left, 3 up. The mission is the task in words, one token
// a word, 0 after the end; [Words] is the vocabulary, with the indices of MiniGrid's
// DictObservationSpaceWrapper, and BabyAI's words after them.
//
// # Codes
//
// The types, colours and states are MiniGrid's; a [grid.Cell] of family "minigrid" holds the same in
// Kind, Color and State. Its flags: grid.FlagSeen where the agent sees the cell now. The one piece
// of a board is the agent.
//
//	type   0 unseen, 1 empty, 2 wall, 3 floor, 4 door, 5 key, 6 ball, 7 box, 8 goal, 9 lava, 10 agent
//	colour 0 red, 1 green, 2 blue, 3 purple, 4 yellow, 5 grey
//	state  0 open, 1 closed, 2 locked (doors); the direction (agent in the full view); else 0
//
// # Actions
//
// 0 left, 1 right, 2 forward, 3 pickup, 4 drop, 5 toggle, 6 done. Dynamic-Obstacles has the first
// three. Success pays 1 - 0.9*steps/limit, everything else 0, but a collision in Dynamic-Obstacles
// pays -1.
//
// # Levels as text
//
// [Env.Level] and [Env.SetLevel] write and read a level in the format of [grid.Text]: lines "key:
// value", then the map with two characters a cell, a kind and a colour. [Legend] explains them.
package minigrid
