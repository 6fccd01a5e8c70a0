// What the kernels of a block of grouped mixing (hrm/groups_torch.go has the formula) are given.
#ifndef PONDER_GROUPS_H
#define PONDER_GROUPS_H
#include <stdint.h>

// The gradients of the weights as [in, out], scaled: message [h, k], self [h, 2f], down [f, h], cell [k, 2f], kind
// [kinds, k, 2f].
struct GroupWeights {
  float *message, *self, *down, *cell, *kind;
};

// GroupBlock is the weights and one board. Cells that are settled do not think: the board is numbered anew by
// the cells that do, the open ones, and what the settled say to each group is kept.
struct GroupBlock {
  int64_t h, k, f, kinds, symbols;
  float eps;
  const float *message, *self, *down, *cell, *kind;           // scaled, in panels; of the forward pass
  const float *message_t, *self_t, *down_t, *cell_t, *kind_t; // scaled, as [out, in]; of the gradient
  const float *settled;                                       // [2, k] messages of settled cells: of their own symbol, of the others

  int64_t all;                     // cells of the board
  int64_t cells, groups;           // open cells; groups of all kinds
  const int64_t *open;             // [cells] their numbers on the board
  const int64_t *first;            // [kinds+1] groups before each kind
  const int64_t *starts, *members; // [groups+1] members before each group; open cells
  const int64_t *before, *of;      // [cells+1] groups before each open cell; groups
  const int64_t *heard, *symbol;   // [groups+1] settled members before each group; their symbols
};
#endif
