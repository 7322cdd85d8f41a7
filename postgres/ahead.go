package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/softdelete-exporter/softdelete_exporter/queries"
	"github.com/softdelete-exporter/softdelete_exporter/rescue"
)

const (
	// fewAhead and mostAhead are how many questions are asked ahead at first, and at most.
	fewAhead, mostAhead = 4, 64
	// late is how long an answer may take, apart from the way to the server and back, before fewer questions are asked
	// ahead. The budget of a refresh is exceeded by not much more than that.
	late = 250 * time.Millisecond
	// heldFor and heldTimes are after how long, and how many times the way to the server and back, all answers are
	// awaited before the next question is sent. Until then a pooler keeps a connection of the server for us.
	heldFor, heldTimes = 250 * time.Millisecond, 8
)

// ahead are the questions that were asked ahead: sent before the caller waits for their answers.
type ahead struct {
	// asked are those that Query was not called for yet, by their texts.
	asked map[string]*asked
	// underWay are those without an answer, in the order in which they were sent.
	underWay []*asked
	// most is how many may be asked now.
	most int
	// since is when the first of those under way was sent, after a time without any; lastAnswer is when the last
	// answer came; way is the shortest time that an answer took.
	since, lastAnswer time.Time
	way               time.Duration
	// send passes messages to a goroutine that writes them, which ends at the close of the channel and then closes
	// sent. If the caller wrote them, it could block on a server that blocks because nobody reads its answers.
	send chan []byte
	sent chan struct{}
	// reading is true while an answer is read.
	reading bool
}

// asked is a question that was asked ahead, and its answer.
type asked struct {
	guarded []uint32
	// limits is the number of statements with the limits that were then in force.
	limits int
	at     time.Time
	// answered is true once the answer, or an error, is there.
	answered bool
	took     time.Duration
	err      error
	fields   []pgconn.FieldDescription
	rows     [][][]byte
	// visible is how many of the guarded relations hide no row.
	visible int
}

// errUnanswered is the error of a question that was asked ahead when the connection was lost at another one.
var errUnanswered = errors.New("the connection was lost before the answer came")

// Room reports whether another question can be asked ahead now.
func (s *Session) Room() bool {
	a := &s.ahead
	return !s.Broken() && len(a.asked) < cmp.Or(a.most, fewAhead) &&
		(len(a.underWay) == 0 || time.Since(a.since) < max(heldFor, heldTimes*a.way))
}

// Ask sends a question, without waiting for its answer, for which Query will be called soon. The question is sent as
// one message, which is a guarded transaction of its own: an error ends that transaction and concerns no other
// question. Guarded is as in Session.
//
// It returns false, and Query will send the question, if that does not fit into a message.
func (s *Session) Ask(question string, guarded []uint32) (sent bool) {
	a := &s.ahead
	if s.Broken() || a.asked[question] != nil || !queries.FitsMessage(question) {
		return false
	}
	questions := []string{question}
	if len(guarded) > 0 {
		questions = []string{queries.RowSecurity(), question, queries.Visible(guarded)}
	}
	message, err := (&pgproto3.Query{String: queries.Message(s.limits, questions...)}).Encode(nil)
	if err != nil {
		return false // Query tells why, if it is still so
	}
	now := time.Now()
	if len(a.underWay) == 0 {
		a.since = now
		a.send, a.sent = make(chan []byte, mostAhead), make(chan struct{})
		go write(s.conn.PgConn(), a.send, a.sent)
	}
	if a.asked == nil {
		a.asked, a.most = map[string]*asked{}, fewAhead
	}
	q := &asked{guarded: guarded, limits: len(s.limits), at: now}
	a.asked[question] = q
	a.underWay = append(a.underWay, q)
	a.send <- message
	return true
}

// write writes messages to a connection. If that fails, no answer comes, which the reader notices.
func write(conn *pgconn.PgConn, send <-chan []byte, sent chan<- struct{}) {
	defer close(sent)
	var err error
	for message := range send {
		if err == nil {
			_, err = conn.Conn().Write(message)
		}
	}
}

// Forget forgets the questions that were asked ahead and that nobody wants to know any more.
func (s *Session) Forget() { clear(s.ahead.asked) }

// take returns a question that was asked ahead, and forgets it.
func (s *Session) take(question string) *asked {
	q := s.ahead.asked[question]
	delete(s.ahead.asked, question)
	if q == nil || !slices.Equal(q.guarded, s.Guarded) || errors.Is(q.err, errUnanswered) {
		return nil
	}
	return q
}

// receiveAll receives the answers to all questions under way, so that the connection can be used for another one.
func (s *Session) receiveAll(ctx context.Context) {
	for len(s.ahead.underWay) > 0 {
		s.receive(ctx)
	}
}

// receive receives the answer to the first question under way. After an error of the connection there is no answer to
// the others.
func (s *Session) receive(ctx context.Context) {
	a := &s.ahead
	q := a.underWay[0]
	a.reading = true
	err := s.read(ctx, q)
	a.reading = false
	now := time.Now()
	began := q.at
	if a.lastAnswer.After(began) {
		began = a.lastAnswer
	}
	a.lastAnswer = now
	q.answered = true
	a.underWay = a.underWay[1:]
	if err != nil {
		if q.err == nil { // else the server has said why it ends the connection
			q.err = err
		}
		s.abandon()
	}
	q.took = now.Sub(began)
	s.postgres.Costs.Add(s.Database, q.took, q.err)
	a.pace(now.Sub(q.at))
	if len(a.underWay) == 0 {
		a.endWriting()
	}
}

// endWriting ends the goroutine that writes, if there is one.
func (a *ahead) endWriting() {
	if a.send != nil {
		close(a.send)
		<-a.sent
		a.send = nil
	}
}

// cancels is how often the server is told to cancel what it does for an abandoned connection, and cancelPause the time
// between. After the first time it begins with the next question that was under way; when that is cancelled, it notices
// that nobody takes the answers.
const (
	cancels     = 4
	cancelPause = 10 * time.Millisecond
)

// abandon closes a connection that cannot be used any more, and cancels what the server still does for it.
func (s *Session) abandon() {
	if !s.conn.IsClosed() { // else the driver has done so
		ctx, cancel := context.WithTimeout(context.Background(), grace)
		defer cancel()
		// Errors mean that the server cannot be reached; the statement then ends by its timeout.
		_ = s.conn.PgConn().CancelRequest(ctx) // a pooler forwards it only while the connection is open
		_ = s.conn.Close(ctx)
		for n := 1; n < cancels && len(s.ahead.underWay) > 0; n++ {
			time.Sleep(cancelPause)
			_ = s.conn.PgConn().CancelRequest(ctx)
		}
	}
	a := &s.ahead
	for _, q := range a.underWay {
		q.answered, q.err = true, errUnanswered
	}
	a.underWay = nil
	a.endWriting()
}

// answerTo reads the answer to a question that was asked ahead.
func (s *Session) answerTo(ctx context.Context, q *asked, add scanner) error {
	for !q.answered {
		s.receive(ctx)
	}
	s.Spent += q.took
	if q.err != nil {
		return s.conn.info.Hide(q.err)
	}
	if q.visible < len(q.guarded) {
		return errHidden
	}
	err := rescue.Catch(func() error {
		for _, values := range q.rows {
			if err := add(legible{textRow{s.conn.TypeMap(), q.fields, values}, s}); err != nil {
				return err
			}
		}
		return nil
	})
	rescue.Log(s.postgres.Logger, err, "datname", s.Database)
	return err
}

// textRow is a row of an answer to a message, in which every value is text.
type textRow struct {
	types  *pgtype.Map
	fields []pgconn.FieldDescription
	values [][]byte
}

// FieldDescriptions implements pgx.CollectableRow.
func (r textRow) FieldDescriptions() []pgconn.FieldDescription { return r.fields }

// RawValues implements pgx.CollectableRow.
func (r textRow) RawValues() [][]byte { return r.values }

// Values implements pgx.CollectableRow.
func (r textRow) Values() ([]any, error) { return nil, errors.ErrUnsupported }

// Scan implements pgx.CollectableRow.
func (r textRow) Scan(into ...any) error {
	for i, field := range into {
		if err := r.types.Scan(r.fields[i].DataTypeOID, pgx.TextFormatCode, r.values[i], field); err != nil {
			return fmt.Errorf("reading %s: %w", r.fields[i].Name, err)
		}
	}
	return nil
}

// fieldsOf converts the description of a row; the driver reuses the message.
func fieldsOf(m *pgproto3.RowDescription) []pgconn.FieldDescription {
	fields := make([]pgconn.FieldDescription, len(m.Fields))
	for i, f := range m.Fields {
		fields[i] = pgconn.FieldDescription{Name: string(f.Name), DataTypeOID: f.DataTypeOID, Format: f.Format}
	}
	return fields
}

// cloned copies values; the driver reuses their memory. A NULL stays nil.
func cloned(values [][]byte) [][]byte {
	size := 0
	for _, v := range values {
		size += len(v)
	}
	all, text := make([][]byte, len(values)), make([]byte, 0, size)
	for i, v := range values {
		if v != nil {
			text = append(text, v...)
			all[i] = text[len(text)-len(v):]
		}
	}
	return all
}

// pace decides, from how long an answer took, how many questions may be asked ahead.
func (a *ahead) pace(took time.Duration) {
	if a.way == 0 || took < a.way {
		a.way = took
	}
	if took > 2*a.way+late {
		a.most = max(a.most/2, 1)
	} else {
		a.most = min(a.most+1, mostAhead)
	}
}

// read reads the answer to one question. It returns an error only if the connection can no longer be used.
func (s *Session) read(ctx context.Context, q *asked) error {
	pg := s.conn.PgConn()
	// The driver would start a goroutine for each of many small messages to watch the context.
	stop := context.AfterFunc(ctx, func() { _ = pg.Conn().SetReadDeadline(time.Now()) })
	defer stop()
	if err := pg.Conn().SetReadDeadline(time.Now().Add(s.statementTimeout + grace)); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	// The statements of the message in turn: its own beginning, the limits, perhaps the setting of row security, the
	// question, and perhaps that for visible relations.
	question := q.limits + 1
	if len(q.guarded) > 0 {
		question++
	}
	statement := 0
	for {
		m, err := pg.ReceiveMessage(context.Background())
		switch {
		case err != nil && ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, os.ErrDeadlineExceeded):
			return fmt.Errorf("no answer in time: %w", context.DeadlineExceeded)
		case err != nil:
			return err
		}
		switch m := m.(type) {
		case *pgproto3.RowDescription:
			if statement == question {
				q.fields = fieldsOf(m)
			}
		case *pgproto3.DataRow:
			switch {
			case statement == question:
				q.rows = append(q.rows, cloned(m.Values))
			case statement > question:
				q.visible++
			}
		case *pgproto3.CommandComplete:
			statement++
		case *pgproto3.ErrorResponse:
			q.err = pgconn.ErrorResponseToPgError(m)
			if statement <= q.limits && Code(q.err) == QueryCanceled {
				q.err = fmt.Errorf("%w: %w", errRoleTimeout, q.err)
			}
		case *pgproto3.ReadyForQuery:
			return pg.Conn().SetReadDeadline(time.Time{})
		}
	}
}
