using System.Diagnostics;

namespace Dledger.Chaos.Networks;

/// <summary>A switch in user space between the ports of the nodes and that of the clients. Port 0 is the clients'.</summary>
/// <remarks>
/// One thread reads each port; frames that a rule delays wait in a heap that one more thread empties. Port n has the MAC
/// address that ends in n. Rules are swapped whole, so a frame sees either the old or the new one.
/// </remarks>
internal sealed class FrameSwitch : IDisposable
{
    private const int FrameBytesMax = 2048;

    private readonly TapPort[] _ports;
    private readonly LinkRule[,] _rules;
    private readonly long[,] _hits;
    private readonly PriorityQueue<(int To, byte[] Frame), long> _late = new();
    private readonly Random _random;
    private volatile bool _isClosed;

    public FrameSwitch(IReadOnlyList<TapPort> ports, Random random)
    {
        _ports = [.. ports];
        _random = random;
        _rules = new LinkRule[ports.Count, ports.Count];
        _hits = new long[ports.Count, ports.Count];
        Heal();
        for (var port = 0; port < ports.Count; port++)
        {
            var from = port;
            new Thread(() => Forward(from)) { IsBackground = true, Name = $"port {port}" }.Start();
        }

        new Thread(Deliver) { IsBackground = true, Name = "late frames" }.Start();
    }

    /// <summary>Frames that a rule dropped, reset, delayed or doubled since the last <see cref="Heal"/>.</summary>
    public long Hits
    {
        get
        {
            var sum = 0L;
            foreach (ref var hit in System.Runtime.InteropServices.MemoryMarshal.CreateSpan(ref _hits[0, 0], _hits.Length))
            {
                sum += Volatile.Read(ref hit);
            }

            return sum;
        }
    }

    public void Set(int from, int to, LinkRule rule) => Volatile.Write(ref _rules[from, to], rule);

    /// <summary>Lets everything pass again and starts counting anew.</summary>
    public void Heal()
    {
        for (var from = 0; from < _ports.Length; from++)
        {
            for (var to = 0; to < _ports.Length; to++)
            {
                Set(from, to, LinkRule.Open);
                Volatile.Write(ref _hits[from, to], 0);
            }
        }
    }

    public void Dispose()
    {
        _isClosed = true;
        lock (_late)
        {
            Monitor.PulseAll(_late);
        }

        foreach (var port in _ports)
        {
            port.Dispose();
        }
    }

    private void Forward(int from)
    {
        var buffer = new byte[FrameBytesMax];
        while (!_isClosed)
        {
            var length = _ports[from].Read(buffer);
            if (length <= 0)
            {
                return;
            }

            var isForAll = (buffer[0] & 1) == 1;
            for (var to = 0; to < _ports.Length; to++)
            {
                if (to != from && (isForAll || buffer[5] == to))
                {
                    Pass(from, to, buffer, length);
                }
            }
        }
    }

    private void Pass(int from, int to, byte[] buffer, int length)
    {
        var rule = Volatile.Read(ref _rules[from, to]);
        if (ReferenceEquals(rule, LinkRule.Open))
        {
            _ports[to].Write(buffer.AsSpan(0, length));
            return;
        }

        Interlocked.Increment(ref _hits[from, to]);
        if (rule.IsCut || Chance(rule.Loss))
        {
            return;
        }

        if (rule.Shaper is { } shaper)
        {
            if (shaper.TryTake(Stopwatch.GetTimestamp(), length, out var due))
            {
                Postpone(to, buffer.AsSpan(0, length).ToArray(), due);
            }

            return;
        }

        if (rule.IsReset && TcpReset.Rewrite(buffer.AsSpan(0, length)) is > 0 and var reset)
        {
            length = reset;
        }

        var copies = Chance(rule.Duplication) ? 2 : 1;
        for (var copy = 0; copy < copies; copy++)
        {
            if (rule.Delay + rule.Jitter > TimeSpan.Zero)
            {
                Postpone(to, buffer.AsSpan(0, length).ToArray(), DueOf(rule));
            }
            else
            {
                _ports[to].Write(buffer.AsSpan(0, length));
            }
        }
    }

    private void Postpone(int to, byte[] frame, long due)
    {
        lock (_late)
        {
            _late.Enqueue((to, frame), due);
            Monitor.Pulse(_late);
        }
    }

    private long DueOf(LinkRule rule)
    {
        lock (_random)
        {
            var wait = rule.Delay + (rule.Jitter * _random.NextDouble());
            return Stopwatch.GetTimestamp() + (long)(wait.TotalSeconds * Stopwatch.Frequency);
        }
    }

    private void Deliver()
    {
        while (!_isClosed)
        {
            (int To, byte[] Frame) next;
            lock (_late)
            {
                if (!_late.TryPeek(out next, out var due))
                {
                    Monitor.Wait(_late, 200);
                    continue;
                }

                var left = (due - Stopwatch.GetTimestamp()) * 1000 / Stopwatch.Frequency;
                if (left > 0)
                {
                    Monitor.Wait(_late, (int)Math.Min(left, 200));
                    continue;
                }

                _late.Dequeue();
            }

            _ports[next.To].Write(next.Frame);
        }
    }

    private bool Chance(double part)
    {
        if (part <= 0)
        {
            return false;
        }

        lock (_random)
        {
            return _random.NextDouble() < part;
        }
    }
}
