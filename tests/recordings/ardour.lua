-- Plays a session of Ardour's without its window: run by sessions.py as
-- `ardour7-lua ardour.lua FOLDER GO`. It begins when the file GO is there.

local folder, go = arg[1], arg[2]
local UI = ARDOUR.TransportRequestSource.TRS_UI
local MUST_ROLL = ARDOUR.LocateTransportDisposition.MustRoll
local AS_IT_IS = ARDOUR.LocateTransportDisposition.RollIfAppropriate

AudioEngine:set_backend("JACK", "", "")
local session = create_session(folder, "session", 48000)
assert(session, "no session")
io.stdout:setvbuf("no")

local function wait(seconds) ARDOUR.LuaAPI.usleep(math.floor(seconds * 1000000)) end

local function say(what)
	print(string.format("%s at sample %d", what, session:transport_sample()))
end

-- Another tempo for all of the song, as one types it into the tempo field.
local function tempo(bpm)
	local map = Temporal.TempoMap.fetch_writable()
	map:set_tempo(Temporal.Tempo(bpm, bpm, 4), Temporal.timepos_t(0))
	Temporal.TempoMap.update(map)
	map = nil
	say("tempo " .. bpm)
end

-- At 120 BPM a bar of 4/4 is 2 s.
local function locate_bar(bar, and_then)
	session:request_locate((bar - 1) * 96000, false, and_then, UI)
	say("locate bar " .. bar)
end

local function roll() session:request_roll(UI); say("roll") end
local function stop() session:request_stop(false, false, UI); say("stop") end

print("ready")
while not ARDOUR.LuaAPI.file_test(go, ARDOUR.LuaAPI.FileTest.Exists) do wait(0.05) end
wait(1); roll()
wait(5); stop()
wait(1.5); locate_bar(5, AS_IT_IS)
wait(1); roll()
wait(3); locate_bar(9, MUST_ROLL)
wait(3); stop()
wait(1.5); locate_bar(1, AS_IT_IS)
wait(1); tempo(90)
wait(0.5); roll()
wait(4); tempo(150)
wait(4); stop()
wait(1)
print("done")
close_session()
quit()
