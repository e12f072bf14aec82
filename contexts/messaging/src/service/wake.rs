//! Which sockets of this node have something to fetch.

use pakawaaz_base::{DeviceId, GroupId};
use pakawaaz_contract::frames::ServerFrame;
use pakawaaz_http::Hub;
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a socket should look at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dirty {
    /// These groups.
    pub groups: HashSet<GroupId>,
    /// Its inbox (and with it, which groups it is a member of).
    pub inbox: bool,
}

#[derive(Default)]
struct Connected {
    /// Tells this socket from a later one of the same device.
    number: u64,
    groups: HashSet<GroupId>,
    dirty: Dirty,
    /// What passes and is stored nowhere.
    passing: Vec<ServerFrame>,
}

/// Passing frames that wait for one socket; more are dropped.
const PASSING: usize = 32;

#[derive(Default)]
struct State {
    devices: HashMap<DeviceId, Connected>,
    followers: HashMap<GroupId, HashSet<DeviceId>>,
    next: u64,
}

pub struct Wake {
    state: Mutex<State>,
    hub: Hub,
}

impl Wake {
    pub fn new(hub: Hub) -> Self {
        Self { state: Mutex::default(), hub }
    }
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// A socket of the device begins; an earlier one is forgotten. Returns its number.
    pub fn connect(&self, device: DeviceId) -> u64 {
        let mut state = self.lock();
        state.forget(device);
        let number = state.next;
        state.next += 1;
        state.devices.insert(device, Connected { number, ..Connected::default() });
        number
    }
    /// That socket ended.
    pub fn disconnect(&self, device: DeviceId, number: u64) {
        let mut state = self.lock();
        if state.devices.get(&device).is_some_and(|c| c.number == number) {
            state.forget(device);
        }
    }
    /// The device's socket wants to hear of these groups.
    pub fn follow(&self, device: DeviceId, groups: impl IntoIterator<Item = GroupId>) {
        let mut state = self.lock();
        let State { devices, followers, .. } = &mut *state;
        let Some(connected) = devices.get_mut(&device) else { return };
        for group in groups {
            if connected.groups.insert(group) {
                followers.entry(group).or_default().insert(device);
            }
        }
    }
    /// Leaves only groups that the device's socket follows.
    pub fn keep_followed(&self, device: DeviceId, groups: &mut Vec<(GroupId, u64)>) {
        let state = self.lock();
        match state.devices.get(&device) {
            Some(connected) => groups.retain(|(group, _)| connected.groups.contains(group)),
            None => groups.clear(),
        }
    }
    /// Whether any socket here wants to hear of the group.
    pub fn is_followed(&self, group: GroupId) -> bool {
        self.lock().followers.contains_key(&group)
    }
    /// Devices whose sockets here follow a group; `None` when there are more than `most`.
    pub fn followers(&self, group: GroupId, most: usize) -> Option<HashSet<DeviceId>> {
        let state = self.lock();
        let followers = state.followers.get(&group).cloned().unwrap_or_default();
        (followers.len() <= most).then_some(followers)
    }
    /// Something for these devices' sockets that is gone when they are not connected.
    pub fn pass(&self, devices: impl IntoIterator<Item = DeviceId>, frame: &ServerFrame) {
        let mut state = self.lock();
        for device in devices {
            if let Some(connected) = state.devices.get_mut(&device)
                && connected.passing.len() < PASSING
            {
                connected.passing.push(frame.clone());
                self.hub.wake(device);
            }
        }
    }
    /// What passes for a device's socket; it is taken.
    pub fn passing(&self, device: DeviceId) -> Vec<ServerFrame> {
        self.lock().devices.get_mut(&device).map(|c| std::mem::take(&mut c.passing)).unwrap_or_default()
    }
    /// The group's log grew.
    pub fn changed(&self, group: GroupId) {
        let mut state = self.lock();
        let State { devices, followers, .. } = &mut *state;
        for device in followers.get(&group).into_iter().flatten() {
            if let Some(connected) = devices.get_mut(device) {
                connected.dirty.groups.insert(group);
                self.hub.wake(*device);
            }
        }
    }
    /// The device's inbox grew.
    pub fn inbox(&self, device: DeviceId) {
        if let Some(connected) = self.lock().devices.get_mut(&device) {
            connected.dirty.inbox = true;
            self.hub.wake(device);
        }
    }
    /// What the device's socket should look at; from now on it is looked at.
    pub fn take(&self, device: DeviceId) -> Dirty {
        self.lock().devices.get_mut(&device).map(|c| std::mem::take(&mut c.dirty)).unwrap_or_default()
    }
}

impl State {
    fn forget(&mut self, device: DeviceId) {
        let Some(connected) = self.devices.remove(&device) else { return };
        for group in connected.groups {
            if let Some(followers) = self.followers.get_mut(&group) {
                followers.remove(&device);
                if followers.is_empty() {
                    self.followers.remove(&group);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_followers_are_woken_and_an_old_socket_cannot_unfollow_a_new_one() {
        let wake = Wake::new(Hub::new(4));
        let (device, group) = (DeviceId::from_bytes([1; 16]), GroupId::from_bytes([2; 16]));
        wake.changed(group);
        let first = wake.connect(device);
        wake.follow(device, [group]);
        let second = wake.connect(device);
        wake.follow(device, [group]);
        wake.disconnect(device, first);
        assert!(wake.is_followed(group));
        wake.changed(group);
        wake.changed(group);
        let dirty = wake.take(device);
        assert_eq!((dirty.groups.len(), dirty.inbox), (1, false));
        assert_eq!(wake.take(device), Dirty::default());
        wake.inbox(device);
        assert!(wake.take(device).inbox);
        wake.disconnect(device, second);
        assert!(!wake.is_followed(group));
    }
}
