using System.Globalization;

namespace Dledger.Chaos.Machines;

/// <summary>A control group (version 1) of one controller, made for one fault and removed with it.</summary>
internal sealed class ControlGroup : IDisposable
{
    private const string Root = "/sys/fs/cgroup";

    private readonly string _directory;
    private readonly string _parent;
    private readonly string _will;
    private readonly List<int> _members = [];

    private ControlGroup(string parent, string directory, string will)
    {
        _parent = parent;
        _directory = directory;
        _will = will;
    }

    /// <summary>Why the machine cannot do this; null: it can.</summary>
    public static string? WhyNot(string controller) =>
        Environment.UserName != "root" ? "needs root"
        : !File.Exists($"{Root}/{controller}/cgroup.procs") ? $"no control group (version 1) of the controller {controller}"
        : null;

    public static ControlGroup Create(string controller, string name, Undertaker undertaker)
    {
        var parent = $"{Root}/{controller}";
        var directory = $"{parent}/dledger-chaos-{Environment.ProcessId}-{name}";
        Directory.CreateDirectory(directory);
        return new ControlGroup(parent, directory, undertaker.Leave($"sleep 1; rmdir '{directory}'"));
    }

    public void Set(string file, long value) =>
        File.WriteAllText(Path.Combine(_directory, file), value.ToString(CultureInfo.InvariantCulture));

    public string Get(string file) => File.ReadAllText(Path.Combine(_directory, file)).Trim();

    /// <summary>What starts a program inside the group, with everything that it takes from the first byte on.</summary>
    public IReadOnlyList<string> LaunchPrefix =>
        ["sh", "-c", $"echo $$ > '{_directory}/cgroup.procs'; exec \"$@\"", "sh"];

    /// <summary>Puts a process with all its threads into the group.</summary>
    public void Add(int processId)
    {
        _members.Add(processId);
        File.WriteAllText(Path.Combine(_directory, "cgroup.procs"), processId.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>Moves the members back and removes the group.</summary>
    public void Dispose()
    {
        foreach (var member in _members.Where(member => Directory.Exists($"/proc/{member}")))
        {
            try
            {
                File.WriteAllText($"{_parent}/cgroup.procs", member.ToString(CultureInfo.InvariantCulture));
            }
            catch (IOException)
            {
                // It has just ended.
            }
        }

        try
        {
            Directory.Delete(_directory);
            Undertaker.TearUp(_will);
        }
        catch (IOException)
        {
            // The kernel still holds a dead member; the will does it later.
        }
    }
}
