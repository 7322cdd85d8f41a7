package sampling

const (
	// widest is how wide half the interval of a class may be, as a share of its value.
	widest = 0.5
	// fewestForClasses is how many units are needed to choose classes by their margins.
	fewestForClasses = 2 * fewest
)

// Class is one class of deletion times, or several neighbours that were joined.
type Class struct {
	Last int      // index of its last class in [Rows]
	Rows Interval // deleted rows
}

// classes joins neighbouring classes, from the oldest one, until the interval of each is narrow enough.
func (u units) classes(exact []Counted) []Class {
	if len(u.rows) < fewestForClasses {
		return nil
	}
	var counted Rows
	for _, partition := range exact {
		counted = counted.Plus(partition.Rows)
	}
	var joined []Class
	first := func() int {
		if len(joined) == 0 {
			return 0
		}
		return joined[len(joined)-1].Last + 1
	}
	for last := range MaxClasses {
		if c := u.class(counted, first(), last); c.narrow() {
			joined = append(joined, c)
		}
	}
	// What is left at the end joins the class before it.
	for first() < MaxClasses && len(joined) > 0 {
		joined = joined[:len(joined)-1]
		if c := u.class(counted, first(), MaxClasses-1); c.narrow() {
			joined = append(joined, c)
		}
	}
	if len(joined) < 2 {
		return nil
	}
	return joined
}

// class estimates the rows of neighbouring classes as one.
func (u units) class(counted Rows, first, last int) Class {
	of := func(r Rows) (n int64) {
		for _, rows := range r.Classes[first : last+1] {
			n += rows
		}
		return n
	}
	return Class{last, u.count(of(counted), func(r Rows) float64 { return float64(of(r)) })}
}

func (c Class) narrow() bool { return c.Rows.Value > 0 && c.Rows.Margin() <= widest*c.Rows.Value }
