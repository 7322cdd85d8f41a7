// Package sampling estimates from a few blocks of a relation how many of its rows are deleted, and how certain that
// is. It contains only mathematics: it decides which blocks to read and what follows from their rows. It reads
// nothing itself.
//
//	sample := sampling.Draw(rng, partitions, 1000, 100)
//	for k := range sample.Batches() {
//		… read the blocks of sample.Batch(k), append what each holds to read …
//		estimate = sample.Estimate(read)
//		if estimate.Reached(0.02) {
//			break
//		}
//	}
//	… and at the next refresh:
//	sample = sample.Renew(rng, partitions)
//
// # Drawing
//
// The partitions of the relation are laid end to end. Their N blocks are divided into m equally wide strata, and one
// block of each stratum is drawn at random. Each block is then drawn m/N times on average, so that plain sums over
// the sample estimate sums over the relation. Rows that were written together are often deleted together. Strata
// make sure that no part of the relation is missed or drawn twice.
//
// The blocks are read in batches. Each batch is spread over the whole relation: with K batches, each group of K
// neighbouring strata gives one block to each batch, in an order that keeps the blocks read so far apart. Reading
// can stop after any batch.
//
// # Estimating
//
// Block i of the n that were read holds tᵢ rows; dᵢ of them are deleted. A block is a cluster of rows that resemble
// each other. So the size of the sample is the number of blocks n, not the number of rows Σt.
//
//	total    T = N/n · Σt
//	deleted  D = N/n · Σd
//	ratio    R = D/T
//
// The variance of the sum of z is estimated from differences between neighbours. z is t or d, or for the ratio the
// residual d - R·t:
//
//	V(Σz) = n/(2(n-1)) · Σ(zᵢ - zᵢ₋₁)²
//
// This is the variance within the strata, or a little more where values change from one stratum to the next. The
// variance of the whole table would be too large, because the strata remove most of it. The estimate has 2(n-1)/3
// degrees of freedom, so Student's t takes the place of 1.96.
//
// There is no finite population correction. The strata are drawn independently, so the variance of a draw is that of
// its stratum, however many blocks are drawn; narrower strata have more similar blocks. Only if all blocks were read
// is the variance 0. Partitions that were counted exactly add to T and D and nothing to the variance.
//
// # Intervals
//
// A variance describes only the blocks that were read. If 3/n of the blocks hold deleted rows and the others none,
// then one sample in twenty finds no deleted row, and its variance is 0. So the interval is the union of three:
//
//   - the estimate ± t·√V;
//   - Wilson's interval for the number of independent draws that would have this variance, which is right for small
//     and skewed shares;
//   - the floor: it assumes that u blocks of the relation, each as full as the fullest block that was read, hold only
//     deleted rows, or none.
//
// It chooses u so that a sample misses all u blocks with a probability of 5%:
//
//	(1 - n/2N)²ᵘ = 5%, which is about u = 3·N/n: the rule of three, in blocks
//
// A stratum is not a whole number of blocks: a block can lie on the border of two strata, and is missed if neither
// draws it. That is why the formula has n/2N and the exponent 2u.
//
// The floor makes the margin of 1,000 blocks at least 0.003 at both ends of the scale, and larger if some blocks are
// fuller than others. It assumes nothing about where deleted rows lie. The margin is the distance from the estimate
// to the further end of the interval. docs/counting.md shows how often the intervals of 1,000 samples contain the
// true value, for each layout, also if each sample stops as soon as its margin is small enough.
//
// # Sources
//
// W. G. Cochran, Sampling Techniques, 3rd ed., 1977. K. M. Wolter, Introduction
// to Variance Estimation, 2nd ed., 2007. J. von Neumann et al., The mean square
// successive difference, 1941. E. B. Wilson, Probable inference, 1927. E. L.
// Korn and B. I. Graubard, Confidence intervals for proportions with small
// expected number of positive counts, 1998. J. A. Hanley and A. Lippman-Hand,
// If nothing goes wrong, is everything all right?, 1983.
package sampling
