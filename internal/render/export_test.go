package render

// Forget has the statements of m's database be written anew.
func (m *Model) Forget() {
	s := &m.models.shapes
	s.mu.Lock()
	defer s.mu.Unlock()
	s.young, s.old, s.size = nil, nil, 0
}
