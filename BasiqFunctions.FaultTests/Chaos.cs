using System.Diagnostics;

namespace BasiqFunctions.FaultTests;

/// <summary>What happens to LocalHost from outside, each kind on a random schedule of its own.</summary>
internal sealed class Chaos(Host host, FaultyUpstream upstream, Tally tally, int seed) : IDisposable
{
    private static readonly int[] Jumps = [-24, 24, 370 * 24];

    // Links and processes are swapped one at a time; and LocalHost is never started while its storage is gone, which it refuses.
    private readonly SemaphoreSlim _oneAtATime = new(1, 1);

    /// <summary>Goes on until cancelled, and leaves everything mended and LocalHost running.</summary>
    public Task RunAsync(CancellationToken cancellation) => Task.WhenAll(
        RepeatAsync(new Random(seed + 1), 3_000, 6_000, KillAsync, cancellation),
        RepeatAsync(new Random(seed + 2), 5_000, 9_000, BreakStorageAsync, cancellation),
        RepeatAsync(new Random(seed + 3), 4_000, 8_000, BreakVaultAsync, cancellation),
        RepeatAsync(new Random(seed + 4), 2_000, 8_000, RevokeAsync, cancellation),
        RepeatAsync(new Random(seed + 5), 7_000, 14_000, JumpAsync, cancellation),
        RepeatAsync(new Random(seed + 6), 7_000, 14_000, FillDiskAsync, cancellation),
        RepeatAsync(new Random(seed + 7), 7_000, 16_000, DamageAsync, cancellation));

    public void Dispose() => _oneAtATime.Dispose();

    private static async Task RepeatAsync(
        Random random, int from, int to, Func<Random, Task> harm, CancellationToken cancellation)
    {
        while (true)
        {
            await Task.Delay(random.Next(from, to), cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (cancellation.IsCancellationRequested)
                return;
            await harm(random);
        }
    }

    private Task KillAsync(Random random) => ExclusivelyAsync(() =>
    {
        KillHost(Fault.Kill);
        return host.StartAsync();
    });

    private Task BreakStorageAsync(Random random)
    {
        var lasts = random.Next(500, 1_500);
        var kills = random.Next(3) == 0;
        return ExclusivelyAsync(async () =>
        {
            host.BreakStorage();
            tally.Injected(Fault.Storage);
            await Task.Delay(lasts);
            if (kills)
                KillHost(Fault.KillInOutage);
            host.MendStorage();
            if (kills)
                await host.StartAsync();
        });
    }

    /// <summary>A kill meanwhile ends the outage, since LocalHost does not start without its secrets.</summary>
    private async Task BreakVaultAsync(Random random)
    {
        var lasts = random.Next(1_000, 4_000);
        var revokes = random.Next(2) == 0;
        var isBroken = false;
        await ExclusivelyAsync(() =>
        {
            isBroken = host.TryBreakVault();
            return Task.CompletedTask;
        });
        if (!isBroken)
            return;

        tally.Injected(Fault.Vault);
        if (revokes)
            upstream.TryRevoke();
        await Task.Delay(lasts);
        await ExclusivelyAsync(() =>
        {
            host.MendVault();
            return Task.CompletedTask;
        });
    }

    /// <summary>There and back within one process: one that starts believes its clock.</summary>
    private Task JumpAsync(Random random)
    {
        if (!host.Clock.CanBeSet)
            return Task.CompletedTask;
        var jump = TimeSpan.FromHours(Jumps[random.Next(Jumps.Length)]);
        var lasts = random.Next(1_500, 3_000);
        return ExclusivelyAsync(async () =>
        {
            host.Clock.Set(jump);
            tally.Injected(Fault.ClockJump);
            await Task.Delay(lasts);
            host.Clock.Set(TimeSpan.Zero);
        });
    }

    /// <summary>It does not start on a full disk, so no kill comes meanwhile.</summary>
    private Task FillDiskAsync(Random random)
    {
        if (host.Disk is not { } disk)
            return Task.CompletedTask;
        var lasts = random.Next(500, 1_500);
        return ExclusivelyAsync(async () =>
        {
            if (!disk.TryFill())
                return;
            tally.Injected(Fault.FullDisk);
            await Task.Delay(lasts);
            disk.MakeRoom();
        });
    }

    private Task DamageAsync(Random random)
    {
        var isJournal = random.Next(2) == 0;
        return ExclusivelyAsync(async () =>
        {
            KillHost(Fault.Kill);
            tally.Injected(isJournal ? Fault.DamagedJournal : Fault.DamagedRecords);
            if (await host.StartDamagedAsync(isJournal, random) is { } wrong)
                tally.Violated(wrong);
        });
    }

    private void KillHost(string fault)
    {
        host.Kill();
        tally.Injected(fault);
        upstream.HostRestarted();
    }

    private async Task ExclusivelyAsync(Func<Task> harm)
    {
        await _oneAtATime.WaitAsync();
        try
        {
            // As long a rest as it took, so that on a slow machine LocalHost is not down most of the time.
            var took = Stopwatch.StartNew();
            await harm();
            await Task.Delay(took.Elapsed);
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    private Task RevokeAsync(Random random)
    {
        upstream.TryRevoke();
        return Task.CompletedTask;
    }
}
