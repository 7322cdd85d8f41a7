package sampling

import (
	"math"
	"testing"
)

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s is %g; want %g ± %g", what, got, want, tolerance)
	}
}

func TestTheMarginReachesToTheFurtherEnd(t *testing.T) {
	near(t, "margin", Interval{Value: 0.2, Low: 0.1, High: 0.5}.Margin(), 0.3, 1e-15)
	near(t, "margin", Interval{Value: 0.2, Low: 0.05, High: 0.3}.Margin(), 0.15, 1e-15)
	near(t, "margin of a count", Exact(3).Margin(), 0, 0)
}

func TestTheIntervalIsTheUnionOfThree(t *testing.T) {
	// Ten of 100 independent draws. R gives 0.05523 and 0.17437 for Wilson's interval: prop.test(10, 100,
	// correct = FALSE).
	low, high := around(0.1, 0.1*0.9/100, 1.96, 0)
	near(t, "low, of share ± quantile·√variance", low, 0.1-1.96*0.03, 1e-9)
	near(t, "high, of Wilson", high, 0.17437, 1e-4)
	low, high = around(0.9, 0.1*0.9/100, 1.96, 0)
	near(t, "low, of Wilson, mirrored", low, 1-0.17437, 1e-4)
	near(t, "high, of share ± quantile·√variance", high, 0.9+1.96*0.03, 1e-9)
	low, high = around(0.4, 0, 1.96, 0.1)
	near(t, "low, of the floor", low, 0.36, 1e-9)
	near(t, "high, of the floor", high, 0.46, 1e-9)
	low, high = around(0.4, 0, 1.96, 7)
	near(t, "low, all unseen", low, 0, 0)
	near(t, "high, all unseen", high, 1, 1e-9)
}

func TestUnseenBlocksFollowTheRuleOfThree(t *testing.T) {
	near(t, "1,000 of 1,000,000", unseenBlocks(0.001), 2995.73, 2)
	near(t, "half", unseenBlocks(0.5), 4.3219, 1e-4)
	near(t, "all", unseenBlocks(1), 0, 0)
	if got := unseenBlocks(0); !math.IsInf(got, 1) {
		t.Errorf("none: %g; want +Inf", got)
	}
}

func TestStudentsQuantiles(t *testing.T) {
	for freedom, want := range map[float64]float64{
		2: 4.3027, 3: 3.1824, 5: 2.5706, 10: 2.2281, 30: 2.0423, 120: 1.9799, 1e9: 1.95996,
	} {
		near(t, "quantile", student(freedom), want, want/100)
	}
}

func TestVarianceOfASum(t *testing.T) {
	z := []float64{1, 2, 4, 4, 0}
	near(t, "from neighbours", successive(z), 5.0/8*(1+4+0+16), 1e-12)
	near(t, "from the whole spread", spread(z), 5.0/4*(1.2*1.2+0.2*0.2+2*1.8*1.8+2.2*2.2), 1e-12)
	for _, variance := range []func([]float64) float64{successive, spread} {
		if got := variance(z[:4]); !math.IsInf(got, 1) {
			t.Errorf("variance of four is %g; want +Inf", got)
		}
	}
}
