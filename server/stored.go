package server

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"hash"
	"hash/crc32"
	"io"
	"slices"
	"sync"

	"github.com/go-kit/log"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/softdelete-exporter/softdelete_exporter/collector"
	"github.com/softdelete-exporter/softdelete_exporter/rescue"
	"github.com/softdelete-exporter/softdelete_exporter/softdelete"
)

// page holds the metrics of one Snapshot, encoded in each format that was requested.
type page struct {
	snapshot  *softdelete.Snapshot
	byAge     bool
	collector collector.Snapshot
	logger    log.Logger

	mu     sync.Mutex
	stored map[expfmt.FormatType]*stored
}

func newPage(s *softdelete.Snapshot, byAge bool, logger log.Logger) *page {
	c := collector.NewSnapshot(s, logger)
	if byAge {
		c = c.WithAges()
	}
	return &page{snapshot: s, byAge: byAge, collector: c, logger: logger, stored: map[expfmt.FormatType]*stored{}}
}

// families gathers the metrics with these names, or all if there are none, without keeping them. On an error they are
// not all there.
func (p *page) families(names ...string) (families []*dto.MetricFamily, err error) {
	err = rescue.Catch(func() (err error) {
		for metric := range p.collector.Families() {
			if len(names) == 0 || slices.Contains(names, metric.Name) {
				found, fault := metric.Gather()
				families, err = append(families, found...), errors.Join(err, fault)
			}
		}
		return err
	})
	rescue.Log(p.logger, err)
	return families, err
}

// storable reports whether metrics are stored in a format: in those that Prometheus requests, if the names of metrics
// stay as they are. So few formats are kept, whatever is requested.
func storable(f expfmt.Format) bool {
	t := f.FormatType()
	return (t == expfmt.TypeTextPlain || t == expfmt.TypeProtoDelim) && f.ToEscapingScheme() != model.DotsEscaping
}

// in returns the metrics in a storable format. Requests that come at the same time wait for one encoding. Only one
// metric at a time is in memory.
func (p *page) in(f expfmt.FormatType) (s *stored, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s = p.stored[f]; s != nil {
		return s, nil
	}
	err = rescue.Catch(func() error {
		w := newStoring()
		for metric := range p.collector.Families() {
			families, err := metric.Gather()
			if err == nil {
				// No name needs to be escaped, and looking for one that does costs as much as encoding.
				err = encode(w, expfmt.NewFormat(f).WithEscapingScheme(model.NoEscaping), families)
			}
			if err != nil {
				return err
			}
		}
		s = w.end()
		return nil
	})
	rescue.Log(p.logger, err)
	if err == nil {
		p.stored[f] = s
	}
	return s, err
}

func encode(w io.Writer, f expfmt.Format, families []*dto.MetricFamily) error {
	encoder := expfmt.NewEncoder(w, f)
	for _, family := range families {
		if err := encoder.Encode(family); err != nil {
			return err
		}
	}
	return nil
}

// stored are compressed metrics: deflate blocks that end on a byte boundary and of which none is the final one, so
// that more can follow.
type stored struct {
	deflated []byte
	// sum is the CRC-32 of the text that is compressed, size its length.
	sum  uint32
	size int64
}

// storing compresses what is written to it.
type storing struct {
	out  bytes.Buffer
	z    *flate.Writer
	sum  hash.Hash32
	size int64
}

func newStoring() *storing {
	s := &storing{z: deflaters.Get().(*flate.Writer), sum: crc32.NewIEEE()}
	s.z.Reset(&s.out)
	return s
}

// Write implements io.Writer.
func (s *storing) Write(text []byte) (int, error) {
	_, _ = s.sum.Write(text) // never fails
	s.size += int64(len(text))
	return s.z.Write(text)
}

func (s *storing) end() *stored {
	_ = s.z.Flush() // a buffer takes everything
	deflaters.Put(s.z)
	return &stored{bytes.Clone(s.out.Bytes()), s.sum.Sum32(), s.size}
}

// deflaters are reused, because a new one costs a megabyte.
var deflaters = sync.Pool{New: func() any {
	z, err := flate.NewWriter(io.Discard, flate.BestSpeed)
	if err != nil {
		panic(err) // the level is valid
	}
	return z
}}

// gzipHead is the head of a gzip member without a name or a time, made on an unknown system.
var gzipHead = []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff}

// writeZipped writes one gzip member: what is stored, then more. Its checksum goes on from that of the stored text.
// Two members, one after the other, would be no answer: many clients read only the first.
func (s *stored) writeZipped(w io.Writer, more []byte) error {
	var tail bytes.Buffer
	z := deflaters.Get().(*flate.Writer)
	defer deflaters.Put(z)
	z.Reset(&tail)
	_, _ = z.Write(more) // a buffer takes everything
	_ = z.Close()
	end := binary.LittleEndian.AppendUint32(tail.Bytes(), crc32.Update(s.sum, crc32.IEEETable, more))
	end = binary.LittleEndian.AppendUint32(end, uint32(s.size+int64(len(more))))
	return write(w, gzipHead, s.deflated, end)
}

// writePlain writes what is stored as text, then more.
func (s *stored) writePlain(w io.Writer, more []byte) error {
	if _, err := io.CopyN(w, flate.NewReader(bytes.NewReader(s.deflated)), s.size); err != nil {
		return err
	}
	return write(w, more)
}

func write(w io.Writer, parts ...[]byte) error {
	for _, part := range parts {
		if _, err := w.Write(part); err != nil {
			return err
		}
	}
	return nil
}
