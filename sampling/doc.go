// Package sampling estimates how many rows of a relation are deleted from a few
// of its blocks, and says how sure it is. It is pure mathematics: it says which
// blocks to read and what follows from them, and reads nothing itself.
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
// The blocks of the relation, of all its partitions end to end, are divided
// into m equally wide strata, and one block of each is drawn at random: m/N is
// every block's expected number of draws, so that plain sums over the sample
// estimate sums over the relation. Rows that were written together are deleted
// together; strata see to it that no part of the relation is missed or met
// twice. They are read in batches, each of them spread over the whole: with K
// batches, each range of K neighbouring strata gives one to every batch, in an
// order that keeps those read so far apart. After any batch one may stop.
//
// # Estimating
//
// Block i of the n that were read holds tᵢ rows, dᵢ of them deleted. A block is
// a cluster of rows, and rows of one cluster are alike: n counts, not Σt.
//
//	total    T = N/n · Σt
//	deleted  D = N/n · Σd
//	ratio    R = D/T
//
// Of z = t, d, or the residual d - R·t in the case of the ratio, the variance of
// the sum is taken from differences between neighbours,
//
//	V(Σz) = n/(2(n-1)) · Σ(zᵢ - zᵢ₋₁)²
//
// which is what remains within strata, and on a slope or a step a little more;
// never the spread of the whole table, which the strata have taken out. It
// counts as having 2(n-1)/3 degrees of freedom (Student's t instead of 1.96).
// There is no finite population correction: strata are drawn from independently, so
// the variance of a draw is that of its stratum as it is, and the narrower the strata,
// the more alike are the blocks of one. Only where all was read is the variance 0.
// Leaves that were counted exactly add to T and D and nothing to the variance.
//
// # Intervals
//
// A variance knows only what was met. If 3/n of the blocks hold deleted rows and
// the others none, then one sample in twenty meets none, and would call it
// certain. So the interval is the union of three: the estimate ± t·√V; Wilson's
// interval for the number of independent draws that would have this variance,
// which is right for the few and skewed; and the floor, where u of the
// relation's blocks, each as full as the fullest that was met, hold nothing but
// deleted rows, or none, with
//
//	(1 - n/2N)²ᵘ = 5%, which is about u = 3·N/n: the rule of three, in blocks
//
// (strata are not whole numbers of blocks: a block may lie half in one and half in the
// next, and is missed if neither draws it).
//
// The floor makes the margin of 1,000 blocks at least 0.003 at either end of the
// scale, and wider where blocks are unequally full. It assumes nothing on how
// deleted rows lie. The margin is the distance from the estimate to the further
// end. Coverage by layout, from 1,000 samples each, is in docs/counting.md,
// also where each sample stops as soon as its margin suffices.
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
